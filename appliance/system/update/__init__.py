"""Updates: signed bundles, checked whole; two slots; a trial that must prove itself, or the old one comes back.

`bundle` and `manifest` are the file, `keys` whom we believe, `acceptance` what fits this box, `releases` the program's
slots, `slots` and `boot_files` the card's, `verdict` what decides.
"""
