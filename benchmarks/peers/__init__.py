"""minesense beside what users pick today: installed peers, in one process, in turns."""
