"""What people set: frozen structs, the checks across them, and the one way to change them."""
