"""The outside world: external lines, where we register, and SIP trunks, whose peers are trusted by address."""
