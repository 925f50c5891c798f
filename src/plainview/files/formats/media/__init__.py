"""Pictures, sound and video: what is kept about them, never what they show."""
