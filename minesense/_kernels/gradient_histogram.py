"""Kernels that count the directions of gradients in cells and normalise blocks of cells."""

import math

from ._jit import jit


@jit
def fill_cells(patches, cell_rows, cell_columns, margin, bounds, scratch, label, cells):
    """
    Sum the magnitudes of gradients by their unsigned direction, cell by cell.

    Parameters
    ----------
    patches : (n, n_rows, n_columns) float32 or float64 array
        Differences are taken in its precision, everything else in float64.
    cell_rows, cell_columns : int
        Size of a cell; rows and columns that fill no cell are left over.
    margin : int
        Rows and columns before the first cell.
    bounds : (n_bins - 1, 2) float64 array
        Cosine and sine of the directions at which bin 1, 2, ... begin.
    scratch, label : (3, n_columns) float64 array, (n_columns,) int64 array
        Overwritten.
    cells : (n, n_cell_rows, n_cell_columns, n_bins) float64 array
        Overwritten with sums of magnitudes over the size of a cell.
    """
    n, n_rows, n_columns = patches.shape
    n_down, n_right, n_bins = cells.shape[1:]
    down, along, strength = scratch
    for p in range(n):
        cells[p] = 0.0
        for m in range(n_down * cell_rows):
            i = margin + m
            above, row, below = patches[p, i], patches[p, i], patches[p, i]
            if 0 < i < n_rows - 1:  # at the border there is no difference
                above, below = patches[p, i - 1], patches[p, i + 1]
            for j in range(n_columns):
                down[j] = below[j] - above[j]
            along[0] = along[n_columns - 1] = 0.0
            for j in range(1, n_columns - 1):
                along[j] = row[j + 1] - row[j - 1]
            for j in range(n_columns):
                strength[j] = math.sqrt(down[j] * down[j] + along[j] * along[j])
                # half a turn leaves an unsigned direction as it is: into [0, 180) degrees
                turn = -1.0 if down[j] < 0 or (down[j] == 0 and along[j] < 0) else 1.0
                down[j] *= turn
                along[j] *= turn
                label[j] = 0
            for b in range(n_bins - 1):
                cosine, sine = bounds[b]
                for j in range(n_columns):
                    label[j] += 1 if down[j] * cosine >= along[j] * sine else 0
            for c in range(n_right):
                bins = cells[p, m // cell_rows, c]
                start = margin + c * cell_columns
                for j in range(start, start + cell_columns):
                    bins[label[j]] += strength[j]
        for r in range(n_down):
            for c in range(n_right):
                for b in range(n_bins):
                    cells[p, r, c, b] /= cell_rows * cell_columns


@jit
def normalise_blocks(cells, blocks):
    """
    Scale blocks of cells to unit length, clip them at 0.2 and scale them again.

    Parameters
    ----------
    cells : (n, n_cell_rows, n_cell_columns, n_bins) float64 array
    blocks : (n, n_down, n_right, block_rows, block_columns, n_bins) float array
        Overwritten; every position of the block within the cells.
    """
    n, n_down, n_right, block_rows, block_columns, n_bins = blocks.shape
    for p in range(n):
        for r in range(n_down):
            for c in range(n_right):
                total = 1e-10  # 1e-5 squared: a block of nothing stays so
                for i in range(block_rows):
                    for j in range(block_columns):
                        for b in range(n_bins):
                            value = cells[p, r + i, c + j, b]
                            total += value * value
                scale = 1.0 / math.sqrt(total)
                total = 1e-10
                for i in range(block_rows):
                    for j in range(block_columns):
                        for b in range(n_bins):
                            value = min(cells[p, r + i, c + j, b] * scale, 0.2)
                            total += value * value
                again = 1.0 / math.sqrt(total)
                for i in range(block_rows):
                    for j in range(block_columns):
                        for b in range(n_bins):
                            value = min(cells[p, r + i, c + j, b] * scale, 0.2)
                            blocks[p, r, c, i, j, b] = value * again
