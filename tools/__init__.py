"""Commands that act on an installation, or make pages of docs/ out of the code."""
