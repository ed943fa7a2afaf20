"""The system under test: a reference CRM."""
