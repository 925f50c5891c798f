"""How many people, how bad, which laws, what to do: from findings and counts; sees no value."""
