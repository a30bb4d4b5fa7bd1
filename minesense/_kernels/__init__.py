"""
Numba kernels. Private: import them only from inside minesense.

The kernel contract
-------------------
1. Arguments are C-contiguous arrays and scalars; shapes are in the docstring. Where chance
   is drawn in the loop, a `numpy.random.Generator` is passed: the same numbers without JIT.
2. Outputs, state and scratch are passed in and overwritten; kernels allocate nothing,
   return no array, and assign no array to a slice: references are not counted (`_jit`).
3. Kernels trust their caller: no validation, no strings, no optional arguments, no raise.
4. A result depends on the values in the lane alone, never on where a chunk ends.
5. A kernel calls kernels of its own file only, and reads no global number: Numba's cache
   does not notice a change in another file.
"""
