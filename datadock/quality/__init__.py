"""Contact data that can be used: normal forms of addresses, phones, e-mails and names, with evidence.

Nothing here reads the lake, the warehouse or the network. Every part has a form for one value and
a form for a whole column, and both give the same result. Import the part that you need; this
package itself imports nothing.
"""
