"""How much room to keep above the demand: simple rules, tried on the demand as it comes, the best of them followed.

Numbers and arrays only, one policy at a time, so that Numba can compile all of it.
"""
