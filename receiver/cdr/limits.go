package cdr

// The limits that a zero Limits stands for. Real documents stay far below them:
// a few records of half a kilobyte each.
const (
	DefaultMaxBytes   = 4 << 20
	DefaultMaxDepth   = 16
	DefaultMaxRecords = 10_000
	DefaultMaxValue   = 1024
)

// maxAttributes bounds the attributes of one tag, since finding a repeated one
// takes time that grows with the square of their number. Cisco's have at most
// five.
const maxAttributes = 64

// Limits bounds what a Decoder takes from one document. A field that is zero or
// less stands for its default.
type Limits struct {
	MaxBytes   int // length of the document in bytes; above: ErrTooLarge
	MaxDepth   int // elements open at the same time; above: ErrTooDeep
	MaxRecords int // record elements; above: ErrTooManyRecords
	MaxValue   int // length of one value in bytes; above: the value is cut, never refused
}

// orDefaults returns l with the defaults filled in.
func (l Limits) orDefaults() Limits {
	return Limits{
		MaxBytes:   orDefault(l.MaxBytes, DefaultMaxBytes),
		MaxDepth:   orDefault(l.MaxDepth, DefaultMaxDepth),
		MaxRecords: orDefault(l.MaxRecords, DefaultMaxRecords),
		MaxValue:   orDefault(l.MaxValue, DefaultMaxValue),
	}
}

func orDefault(n, def int) int {
	if n <= 0 {
		return def
	}
	return n
}
