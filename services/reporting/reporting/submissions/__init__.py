"""What counties and departments submit themselves: dekad forms, monthly reports, activities."""
