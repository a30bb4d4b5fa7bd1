"""How good the alarms are, with exact intervals."""
