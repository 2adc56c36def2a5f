"""`branchbox selftest`: starts the exchange, registers two built-in phones, and has them hear each other.

command     options, words, exit status
scenario    the steps, in order
exchange    the exchange as a child process
phone       a small SIP phone on our own stack
datagrams   the phone's UDP socket for SIP
sound       the phone's RTP: plays a tone, listens for another
"""
