"""What a running station shows to people, and learns from them: the live picture, and labelled
pictures to train with. It is asked for at the socket of commands."""
