"""What the labour inspection found of contracts and enrolment at employers (O33)."""
