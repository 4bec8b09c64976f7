"""What a lead is worth: the effectiveness test (F18, O29) and the potential (O24)."""
