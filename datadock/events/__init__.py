"""What starts work, as pure functions: state in, decision out. The sensors wrap these."""
