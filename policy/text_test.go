package policy

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestClean(t *testing.T) {
	for _, tc := range []struct {
		in   string
		max  int
		want string
	}{
		{"", 10, ""},
		{"Ann", 10, "Ann"},
		{"Ann Doe", 7, "Ann Doe"},
		{"Ann", 0, ""},
		{"Ann", -1, ""},

		// Length.
		{"Ann Doe", 6, "Ann D…"},
		{"Ann Doe", 5, "Ann…"}, // no blank before the ellipsis
		{"Ann Doe", 4, "Ann…"},
		{"Ann Doe", 3, "An…"},
		{"Ann", 1, "…"},
		{"A", 1, "A"},
		{"Ann   ", 3, "Ann"},
		{"日本語会議", 5, "日本語会議"},
		{"日本語会議", 4, "日本語…"},
		{"Ann" + strings.Repeat("\u200b", 1000), 3, "Ann"},

		// Controls and white space.
		{"  Ann \t Doe\r\n", 20, "Ann Doe"},
		{"a\nb\vc\fd\x00e\x7ff", 20, "a b c d e f"},
		{"\x1b[31mred\x1b[0m", 20, "[31mred [0m"},
		{"\x1b]0;title\x07x", 20, "]0;title x"},
		{"a\u0085b\u009b31mc", 20, "a b 31mc"},
		{"a\u00a0\u2003\u3000b", 20, "a b"},
		{"a\u2028b\u2029c", 20, "a b c"},
		{"\u2800\u2800", 20, ""},
		{"a\u1680b", 20, "a b"},

		// What does not show.
		{"\u202etxt.exe\u202c", 20, "txt.exe"},
		{"a\u2066b\u2069c\u200ed\u200fe\u061cf", 20, "abcdef"},
		{"a\u200bb\u200cc\u200dd\u2060e\ufefff\u00adg", 20, "abcdefg"},
		{"a\U000e0061\U000e007fb", 20, "ab"},
		{"a\ufe0fb\U000e0101c\u180bd", 20, "abcd"},
		{"\u3164\uffa0\u115f\u034f", 20, ""},
		{"a \u200b b", 20, "a b"},

		// What is not valid, or has no meaning.
		{"a\xff\xfeb", 20, "a\ufffd\ufffdb"},
		{"\xed\xa0\x80", 20, "\ufffd\ufffd\ufffd"},
		{"a\ue000\U000f0000\uffffb", 20, "a\ufffd\ufffd\ufffdb"},
		{"a\ufffdb", 20, "a\ufffdb"},
		{"a\xc3", 20, "a\ufffd"},

		// Marks.
		{"e\u0301a\u0308", 20, "e\u0301a\u0308"},
		{"z\u0300\u0301\u0302\u0303\u0304\u0305\u0306z", 20, "z\u0300\u0301\u0302\u0303z"},
		{"z\u0300\u0301\u200b\u0302\u0303\u200b\u0304\u0305", 20, "z\u0300\u0301\u0302\u0303"},
		{"\u0301a", 20, "a"},
		{"a \u0301b", 20, "a b"},
		{"a \u0301 b", 20, "a b"},
		{"\ue000\u0301", 20, "\ufffd\u0301"},

		// Scripts.
		{"Ægir Ñandú", 20, "Ægir Ñandú"},
		{"שלום עולם", 20, "שלום עולם"},
		{"مرحبا", 20, "مرحبا"},
		{"हिन्दी", 20, "हिन्दी"},
		{"ภาษาไทย", 20, "ภาษาไทย"},
		{"한국어", 20, "한국어"},
		{"🎉 \U0001f1f8\U0001f1ea", 20, "🎉 \U0001f1f8\U0001f1ea"},
	} {
		got := Clean(tc.in, tc.max)
		if got != tc.want {
			t.Errorf("Clean(%q, %d) = %q, want %q", tc.in, tc.max, got, tc.want)
		}
		checkClean(t, tc.in, tc.max)
	}
}

// TestCleanEveryRune holds the runes, each between others, to what Clean
// promises: all of the planes in use, some of the empty and private ones.
func TestCleanEveryRune(t *testing.T) {
	for r := rune(0); r <= unicode.MaxRune; r++ {
		checkClean(t, "a"+string(r)+"b", 3)
		if r >= 0x32000 && (r < 0xe0000 || r > 0xe0fff) {
			r += 100
		}
	}
}

func TestCleanAllocatesNothingForCleanText(t *testing.T) {
	for _, s := range []string{"", "Ann Doe", "sip:ann@corp.example"} {
		if n := testing.AllocsPerRun(100, func() { Clean(s, 64) }); n != 0 {
			t.Errorf("%q: %v allocations", s, n)
		}
	}
}

func checkClean(t *testing.T, in string, max int) {
	t.Helper()
	s := Clean(in, max)
	if !utf8.ValidString(s) {
		t.Fatalf("Clean(%q, %d) = %q: invalid UTF-8", in, max, s)
	}
	if n := utf8.RuneCountInString(s); n > max && n > 0 {
		t.Fatalf("Clean(%q, %d) = %q: %d characters", in, max, s, n)
	}
	if again := Clean(s, max); again != s {
		t.Fatalf("Clean(%q, %d) = %q, and again %q", in, max, s, again)
	}
	if s != strings.Join(strings.Fields(s), " ") {
		t.Fatalf("Clean(%q, %d) = %q: white space", in, max, s)
	}
	marks := maxMarks // none may come first
	for _, r := range s {
		switch {
		case unicode.IsMark(r):
			if marks++; marks > maxMarks {
				t.Fatalf("Clean(%q, %d) = %q: marks", in, max, s)
			}
		case r == ' ':
			marks = maxMarks
		default:
			marks = 0
		}
		forbidden := unicode.IsControl(r) || unicode.In(r, unicode.C, unicode.Zl, unicode.Zp) ||
			r != ' ' && unicode.Is(unicode.Zs, r) ||
			unicode.In(r, unicode.Bidi_Control, unicode.Join_Control, unicode.Variation_Selector) ||
			r >= 0xe0000 && r <= 0xe0fff || !unicode.IsGraphic(r)
		if forbidden {
			t.Fatalf("Clean(%q, %d) = %q: holds %U", in, max, s, r)
		}
	}
}

func FuzzClean(f *testing.F) {
	for i, s := range []string{
		"Ann Doe", "  a \t b ", "\x1b[31mred", "z\u0300\u0301\u0302\u0303\u0304", "\u202etxt", "a\xffb", "日本語", "a \u0301b", "\ue000\u200b\u0301", "🎉\ufe0f",
	} {
		f.Add(s, i+1)
	}
	f.Fuzz(func(t *testing.T, s string, max int) { checkClean(t, s, max) })
}

func BenchmarkClean(b *testing.B) {
	for _, bc := range []struct{ name, in string }{
		{"ascii", "ann.doe@corp.example"},
		{"latin", "Änne Müller (Köln)"},
		{"cjk", "日本語会議室の参加者"},
		{"dirty", "\x1b[31mAnn\u202e  Doe\n"},
		{"long", strings.Repeat("Ann Doe ", 1000)},
		{"invisible", strings.Repeat("\u200b", 300)},
	} {
		b.Run(bc.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Clean(bc.in, 64)
			}
		})
	}
}
