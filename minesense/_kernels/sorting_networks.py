"""
Kernels that sort and merge rows of 32 columns side by side, by minima and maxima alone.

Rows lie one after the other in flat arrays. A run that ascends beside one that descends rises
and falls once: what Batcher (1968, *Sorting networks and their applications*, AFIPS Spring
Joint Computer Conference, 307-314) calls bitonic, and sorts in log2(n) steps.
"""

from ._jit import jit


@jit
def half_clean(one, two, low, high):
    """Give the lesser and the greater of each pair of values."""
    for j in range(len(one)):
        a = one[j]
        b = two[j]
        low[j] = a if a < b else b
        high[j] = b if a < b else a


@jit
def keep_middle_half(one, two, out):
    """Give the middle half of two runs in ascending order, of which one descends."""
    n = len(one) // 2
    one_head = one[:n]
    one_tail = one[n:]
    two_head = two[:n]
    two_tail = two[n:]
    below = out[:n]
    above = out[n:]
    for j in range(n):
        a = one_head[j]
        b = two_head[j]
        c = one_tail[j]
        d = two_tail[j]
        low = a if a < b else b
        high = b if a < b else a
        other_low = c if c < d else d
        other_high = d if c < d else c
        below[j] = low if low > other_low else other_low
        above[j] = high if high < other_high else other_high
    settle(below, n // 32, False)
    settle(above, n // 32, False)


@jit
def keep_middle_third(band, extra, spare, out):
    """Give the middle third of an ascending run and a descending one of half its length."""
    n = len(extra)
    if n == 256:
        _middle_eight(band, extra, out)
        return
    half = n // 2
    rest = spare[:n]
    _meet(band[n:], extra, rest[half:], rest[:half])
    settle(rest[:half], half // 32, True)
    settle(rest[half:], half // 32, True)
    _part(band[:n], rest, out[:half], out[half:])
    settle(out[:half], half // 32, False)
    settle(out[half:], half // 32, False)


@jit
def _meet(one, two, low, high):
    """Give the lesser of each pair of values, then of its halves the lesser and greater."""
    n = len(low)
    a = one[:n]
    b = one[n:]
    c = two[:n]
    d = two[n:]
    for j in range(n):
        p = _least(a[j], c[j])
        q = _least(b[j], d[j])
        low[j] = _least(p, q)
        high[j] = _most(p, q)


@jit
def _part(one, two, low, high):
    """Give the greater of each pair of values, then of its halves the lesser and greater."""
    n = len(low)
    a = one[:n]
    b = one[n:]
    c = two[:n]
    d = two[n:]
    for j in range(n):
        p = _most(a[j], c[j])
        q = _most(b[j], d[j])
        low[j] = _least(p, q)
        high[j] = _most(p, q)


@jit
def _middle_eight(band, extra, out):
    """Give the middle third of 16 ascending and 8 descending rows."""
    for j in range(32):
        h, g, f, e, d, c, b, a = _tidy_eight(
            _least(band[256 + j], extra[j]),
            _least(band[288 + j], extra[32 + j]),
            _least(band[320 + j], extra[64 + j]),
            _least(band[352 + j], extra[96 + j]),
            _least(band[384 + j], extra[128 + j]),
            _least(band[416 + j], extra[160 + j]),
            _least(band[448 + j], extra[192 + j]),
            _least(band[480 + j], extra[224 + j]),
        )
        a, b, c, d, e, f, g, h = _tidy_eight(
            _most(band[j], a),
            _most(band[32 + j], b),
            _most(band[64 + j], c),
            _most(band[96 + j], d),
            _most(band[128 + j], e),
            _most(band[160 + j], f),
            _most(band[192 + j], g),
            _most(band[224 + j], h),
        )
        out[j] = a
        out[32 + j] = b
        out[64 + j] = c
        out[96 + j] = d
        out[128 + j] = e
        out[160 + j] = f
        out[192 + j] = g
        out[224 + j] = h


@jit
def settle(rows, n, descends):
    """Sort n rows, a power of two from 8 on, that rise and fall once (or fall and rise)."""
    d = n // 2
    while d >= 16:
        half = 16 * d
        for i in range(0, 32 * n, 4 * half):
            a = rows[i : i + half]
            b = rows[i + half : i + 2 * half]
            c = rows[i + 2 * half : i + 3 * half]
            e = rows[i + 3 * half : i + 4 * half]
            if descends:
                _cross_four(e, c, b, a)
            else:
                _cross_four(a, b, c, e)
        d //= 4
    if d == 8:
        for i in range(0, 32 * n, 512):
            if descends:
                _cross_two(rows[i + 256 : i + 512], rows[i : i + 256])
            else:
                _cross_two(rows[i : i + 256], rows[i + 256 : i + 512])
    for i in range(0, 32 * n, 256):
        _settle_eight(rows[i : i + 256], descends)


@jit
def _cross_two(a, b):
    """Put the lesser value of each pair first."""
    for j in range(len(a)):
        p = a[j]
        q = b[j]
        a[j] = p if p < q else q
        b[j] = q if p < q else p


@jit
def _cross_four(a, b, c, d):
    """Put the lesser value first between a and c, b and d, then between a and b, c and d."""
    for j in range(len(a)):
        p = a[j]
        q = b[j]
        r = c[j]
        s = d[j]
        p, r = _cross(p, r)
        q, s = _cross(q, s)
        p, q = _cross(p, q)
        r, s = _cross(r, s)
        a[j] = p
        b[j] = q
        c[j] = r
        d[j] = s


@jit
def _settle_eight(rows, descends):
    """Sort 8 rows that rise and fall once."""
    for j in range(32):
        a, b, c, d, e, f, g, h = _tidy_eight(
            rows[j],
            rows[32 + j],
            rows[64 + j],
            rows[96 + j],
            rows[128 + j],
            rows[160 + j],
            rows[192 + j],
            rows[224 + j],
        )
        if descends:
            a, b, c, d, e, f, g, h = h, g, f, e, d, c, b, a
        rows[j] = a
        rows[32 + j] = b
        rows[64 + j] = c
        rows[96 + j] = d
        rows[128 + j] = e
        rows[160 + j] = f
        rows[192 + j] = g
        rows[224 + j] = h


@jit
def sort_eight(rows, is_reversed, descends, kept, out):
    """
    Sort 8 rows; keep the odd runs within them, which descend.

    Rows of `kept`: 4 to 7 sorted; 2 and 3, 6 and 7, each pair sorted; 1, 3, 5, 7.
    """
    for j in range(32):
        a = rows[j]
        b = rows[32 + j]
        c = rows[64 + j]
        d = rows[96 + j]
        e = rows[128 + j]
        f = rows[160 + j]
        g = rows[192 + j]
        h = rows[224 + j]
        if is_reversed:
            a, b, c, d, e, f, g, h = h, g, f, e, d, c, b, a
        kept[256 + j] = b
        kept[288 + j] = d
        kept[320 + j] = f
        kept[352 + j] = h
        a, b = _cross(a, b)
        d, c = _cross(c, d)
        e, f = _cross(e, f)
        h, g = _cross(g, h)
        kept[128 + j] = c
        kept[160 + j] = d
        kept[192 + j] = g
        kept[224 + j] = h
        a, b, c, d = _tidy_four(a, b, c, d)
        h, g, f, e = _tidy_four(e, f, g, h)
        kept[j] = e
        kept[32 + j] = f
        kept[64 + j] = g
        kept[96 + j] = h
        a, b, c, d, e, f, g, h = _tidy_eight(a, b, c, d, e, f, g, h)
        if descends:
            a, b, c, d, e, f, g, h = h, g, f, e, d, c, b, a
        out[j] = a
        out[32 + j] = b
        out[64 + j] = c
        out[96 + j] = d
        out[128 + j] = e
        out[160 + j] = f
        out[192 + j] = g
        out[224 + j] = h


@jit
def finish_eight(band, left, right, out):
    """
    Give the medians of 8 windows from 8 ranks that they have in common.

    `left` are the 12 rows kept of the traces that the first 4 windows have and the last do
    not, and so on; `right` those beyond, in reversed order.
    """
    for j in range(32):
        a, b, c, d, e, f, g, h = (
            band[j],
            band[32 + j],
            band[64 + j],
            band[96 + j],
            band[128 + j],
            band[160 + j],
            band[192 + j],
            band[224 + j],
        )
        p, q, r, s = _third_of_twelve(
            a, b, c, d, e, f, g, h, left[j], left[32 + j], left[64 + j], left[96 + j]
        )
        t, u = _third_of_six(p, q, r, s, left[128 + j], left[160 + j])
        out[j] = _third_of_three(t, u, left[256 + j])
        out[32 + j] = _third_of_three(t, u, right[352 + j])
        t, u = _third_of_six(p, q, r, s, right[192 + j], right[224 + j])
        out[64 + j] = _third_of_three(t, u, left[288 + j])
        out[96 + j] = _third_of_three(t, u, right[320 + j])
        p, q, r, s = _third_of_twelve(
            a, b, c, d, e, f, g, h, right[j], right[32 + j], right[64 + j], right[96 + j]
        )
        t, u = _third_of_six(p, q, r, s, left[192 + j], left[224 + j])
        out[128 + j] = _third_of_three(t, u, left[320 + j])
        out[160 + j] = _third_of_three(t, u, right[288 + j])
        t, u = _third_of_six(p, q, r, s, right[128 + j], right[160 + j])
        out[192 + j] = _third_of_three(t, u, left[352 + j])
        out[224 + j] = _third_of_three(t, u, right[256 + j])


@jit
def _cross(a, b):
    """Return the lesser value and the greater."""
    return (a if a < b else b), (b if a < b else a)


@jit
def _least(a, b):
    """Return the lesser value."""
    return a if a < b else b


@jit
def _most(a, b):
    """Return the greater value."""
    return a if a > b else b


@jit
def _tidy_four(a, b, c, d):
    """Return in ascending order values that rise and fall once."""
    a, c = _cross(a, c)
    b, d = _cross(b, d)
    a, b = _cross(a, b)
    c, d = _cross(c, d)
    return a, b, c, d


@jit
def _tidy_eight(a, b, c, d, e, f, g, h):
    """Return in ascending order values that rise and fall once."""
    a, e = _cross(a, e)
    b, f = _cross(b, f)
    c, g = _cross(c, g)
    d, h = _cross(d, h)
    a, b, c, d = _tidy_four(a, b, c, d)
    e, f, g, h = _tidy_four(e, f, g, h)
    return a, b, c, d, e, f, g, h


@jit
def _third_of_twelve(a, b, c, d, e, f, g, h, p, q, r, s):
    """Return the middle four of eight ascending and four descending values."""
    s, r, q, p = _tidy_four(_least(e, p), _least(f, q), _least(g, r), _least(h, s))
    return _tidy_four(_most(a, p), _most(b, q), _most(c, r), _most(d, s))


@jit
def _third_of_six(a, b, c, d, p, q):
    """Return the middle two of four ascending and two descending values."""
    q, p = _cross(_least(c, p), _least(d, q))
    return _cross(_most(a, p), _most(b, q))


@jit
def _third_of_three(a, b, p):
    """Return the middle one of two ascending values and another."""
    return _most(a, _least(b, p))
