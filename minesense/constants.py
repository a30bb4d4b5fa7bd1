"""Physical constants, SI. Fixed values, so that results repeat to the last digit."""

import math

#: Permeability of vacuum, H/m. Exactly 4 pi 1e-7, as in the tables of the tests; the
#: measured value of SI 2019 differs by 5e-10.
MU_0 = 4e-7 * math.pi
#: Speed of light in vacuum, m/s.
SPEED_OF_LIGHT = 299_792_458.0
#: Permittivity of vacuum, F/m.
EPSILON_0 = 1.0 / (MU_0 * SPEED_OF_LIGHT**2)
