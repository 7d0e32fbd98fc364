package config

import "strings"

// nearest is the name that somebody who wrote the given one most likely meant,
// or empty.
func nearest(given string, names []string) string {
	given = strings.ToLower(given)
	best, least := "", min(3, len(given)/3)+1
	for _, name := range names {
		if d := distance(given, name); d < least {
			best, least = name, d
		}
	}
	if best != "" || len(given) < 4 || len(given) > 40 {
		return best
	}
	for _, name := range names {
		if strings.Contains(name, given) || len(name) >= 4 && strings.Contains(given, name) {
			return name
		}
	}
	return ""
}

// distance counts the letters to insert, remove, replace, or swap with their
// neighbour, to get from a to b. A name much longer than any key is far away.
func distance(a, b string) int {
	if len(a) > 40 {
		return len(a)
	}
	var before, last []int
	for i := range len(a) + 1 {
		row := make([]int, len(b)+1)
		for j := range row {
			switch {
			case i == 0:
				row[j] = j
				continue
			case j == 0:
				row[j] = i
				continue
			}
			row[j] = min(last[j], row[j-1]) + 1
			same := last[j-1]
			if a[i-1] != b[j-1] {
				same++
			}
			row[j] = min(row[j], same)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last = last, row
	}
	return last[len(b)]
}
