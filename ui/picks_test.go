package ui

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"callmark/policy"
)

func TestPicks(t *testing.T) {
	x := newItems(item{"a", "a", 3}, item{"b", "b", 2}, item{"c", "c", 1})
	x.pick()
	x.pick()
	if got := fmt.Sprint(x.picks()); got != "[a b]" {
		t.Errorf("picked %s", got)
	}
	if r, _ := x.selected(); r.id != "c" {
		t.Errorf("the cursor is on %q", r.id)
	}
	// They stay through another order and a filter, and come in the order shown.
	x.sortBy(1, true)
	x.setFilter("b")
	if got := fmt.Sprint(x.picks(), x.hiddenPicks()); got != "[b a] 1" {
		t.Errorf("picked %s", got)
	}
	x.setFilter("")
	if s := drawn(x, 30, 4); !strings.Contains(s, ">*b") || !strings.Contains(s, " *a") || strings.Contains(s, "*c") {
		t.Errorf("drawn:\n%s", s)
	}
	// They go with the row; the same key later is another row.
	x.update([]item{{"b", "b", 9}}, []string{"a"})
	x.update([]item{{"a", "a", 9}}, nil)
	if got := fmt.Sprint(x.picks()); got != "[b]" {
		t.Errorf("picked %s", got)
	}
	x.unpick()
	if x.pickedLen() != 0 || x.picks() != nil {
		t.Errorf("picked %v", x.picks())
	}
}

// TestActOnSelected selects meetings, lets a storm reorder the list, and acts
// on all that were selected and on nothing else.
func TestActOnSelected(t *testing.T) {
	b := newBench(t, 120, 40)
	b.board.put(mtg("m1", "Cabinet briefing", policy.Level3), mtg("m2", "Budget", policy.Level2), mtg("m3", "Rooms", policy.Level1))
	b.frame().keys("space").shows("1 selected, 2 of 3", " *").keys("down", "space").shows("2 selected")
	for i := range 50 {
		b.board.put(mtg(fmt.Sprint("s", i), "Another one", policy.Level3), mtg("m1", "Cabinet briefing", policy.Level(1+i%3)))
		b.frame()
	}
	b.keys("f").shows("Force a marking on 2 meetings:", `"Cabinet briefing"`, `"Rooms"`).hides(`"Budget"`)
	for i := range 50 {
		b.board.put(mtg("m1", "Cabinet briefing", policy.Level(1+i%3)), mtg("m3", "Rooms", policy.Level(1+(i+1)%3)))
		b.frame()
	}
	b.keys("2", "y").shows("Overridden: 2 meetings")
	got := strings.Split(b.board.acts(), "\n")
	if len(got) != 2 || !strings.Contains(b.board.acts(), "override m1 level 2") || !strings.Contains(b.board.acts(), "override m3 level 2") {
		t.Errorf("did %q", got)
	}
	// Done: no longer selected.
	b.frame().hides("selected")

	b.keys("g", "space", "space").shows("2 selected").keys("a").shows("Return 2 meetings to automatic?").keys("esc")
	b.keys("/").typed("cabinet").keys("enter").shows("(2 hidden)")
	b.later(time.Minute).keys("esc").hides("selected").shows("filter: cabinet").keys("esc").hides("filter: cabinet")
}

func TestSelectedMeetingsEnd(t *testing.T) {
	b := newBench(t, 120, 40)
	b.board.put(mtg("m1", "Cabinet briefing", policy.Level3), mtg("m2", "Budget", policy.Level2), mtg("m3", "Rooms", policy.Level1))
	b.frame().keys("space", "space", "space").shows("3 selected")
	b.board.end("m1", "m3")
	b.frame().shows("1 selected").keys("c").shows(`Clear the marking of "Budget"?`)
	b.board.end("m2")
	b.frame().shows("This meeting has ended.").keys("y").hides("selected")
	if got := b.board.acts(); got != "" {
		t.Errorf("did %q", got)
	}
}

// TestSelectedEndUnderDialog: of those that a dialog is about some end, others
// come in their place, and the key is for those that are left.
func TestSelectedEndUnderDialog(t *testing.T) {
	for _, c := range []struct {
		keys []string
		did  string
	}{
		{[]string{"f", "2"}, "override m2 level 2 by anna"},
		{[]string{"c"}, "override m2 clear by anna"},
		{[]string{"a"}, "release m2 by anna"},
	} {
		b := newBench(t, 120, 40)
		held := mtg("m2", "Budget", policy.Level2)
		held.Override = &policy.Override{Kind: policy.ForceLevel, Level: policy.Level1, Who: "bob"}
		b.board.put(mtg("m1", "Cabinet briefing", policy.Level3), held, mtg("m3", "Rooms", policy.Level1))
		b.frame().keys("space", "space", "space").keys(c.keys...).shows("3 meetings", `"Cabinet briefing"`, `"Rooms"`)
		b.board.end("m1", "m3")
		b.board.put(mtg("n1", "Newcomer", policy.Level3), mtg("n3", "Neighbour", policy.Level1))
		b.frame().shows(`"Budget"`, "2 meetings of these ended").hides(`"Cabinet briefing"`, `"Newcomer"`, `"Neighbour"`)
		b.keys("y")
		if got := b.board.acts(); got != c.did {
			t.Errorf("%v: did %q, want %q", c.keys, got, c.did)
		}
		// With none left, no key does anything.
		b.board.did = nil
		b.board.put(mtg("m4", "Fourth", policy.Level2), mtg("m5", "Fifth", policy.Level2))
		b.frame().keys("/").typed("!budget !n").keys("enter", "g", "space", "space").keys(c.keys...)
		b.board.end("m4", "m5")
		b.frame().shows("These meetings have ended").keys("y", "y")
		if got := b.board.acts(); got != "" {
			t.Errorf("%v: did %q after all had ended", c.keys, got)
		}
	}
}

func TestSelectNeedsMeetings(t *testing.T) {
	b := newBench(t, 120, 40)
	b.frame().keys("space").shows("There is no meeting.")
	scene(b.board)
	b.frame().keys("enter", "space").shows("Only meetings can be selected").keys("esc")
	b = newBench(t, 120, 40, func(o *Options) { o.ReadOnly = true })
	scene(b.board)
	b.frame().keys("space").shows("Read-only").hides("selected")
}

func TestFilterFields(t *testing.T) {
	b := newBench(t, 160, 30)
	corp, evil := mtg("m1", "Cabinet", policy.Level2), mtg("m2", "Budget", policy.Level3)
	corp.Domains = []string{"rooms.corp.example"}
	evil.Domains = []string{"corp.example", "notcorp.example"}
	evil.State, evil.Failure = policy.StateFailed, "busy"
	none := mtg("m3", "Lobby", policy.LevelNone)
	none.Unverified = "records are missing"
	none.Calls[0].Bridge = "Cms2"
	b.board.put(corp, evil, none)
	b.frame()
	for filter, want := range map[string]string{
		"domain:corp.example":            "m2 m1",
		"domain:rooms.corp.example":      "m1",
		"domain:example level:3":         "m2",
		"domain:corp":                    "",
		"!domain:rooms.corp.example":     "m2 m3",
		"is:failing":                     "m2",
		"is:unverified":                  "m3",
		"level:-":                        "m3",
		"level:?":                        "m3",
		"bridge:cms2":                    "m3",
		"bridge:CMS1 !is:failing !lobby": "m1",
		"cabinet budget":                 "",
	} {
		b.m.filter(filter)
		if got := strings.Join(shownIDs(b.m), " "); got != want {
			t.Errorf("%q shows %q, want %q", filter, got, want)
		}
		b.hides("there is no field", "is never")
	}
	b.m.filter("")
	// What cannot be meant is said while it is typed, and afterwards.
	b.keys("/").typed("lvl:3").shows("there is no field lvl here: bridge, domain, is, level").keys("enter").shows("there is no field lvl").keys("esc")
	b.keys("/").typed("is:unverifed").shows("is is never unverifed: unverified, overridden").keys("enter", "esc")
	b.keys("/").typed("level:4").shows("level is never 4").keys("enter", "esc")
	// Addresses and times are words.
	b.keys("/").typed("sip:anna 10:30").hides("there is no field").keys("enter", "esc")
	b.keys("l", "/").typed("is:x").shows("there is no field is here: bridge, domain, level")
}

func TestSigns(t *testing.T) {
	b := newBench(t, 120, 30, func(o *Options) { o.ASCII = true })
	quiet, up, down, other := mtg("m1", "quiet", 1), mtg("m2", "upwards", 2), mtg("m3", "downwards", 3), mtg("m4", "otherwise", 1)
	b.board.put(mtg("m0", "a top", 3), quiet, up, down, other)
	b.frame().keys("g")
	at := func(name string) string { return b.line(name)[:2] }
	for _, name := range []string{"quiet", "upwards", "downwards", "otherwise"} {
		if got := at(name); got != "  " {
			t.Errorf("at first %s has %q", name, got)
		}
	}
	up.Computed, up.Shown, down.Computed, down.Shown, other.People[1] = 3, 3, 1, 1, 7
	b.board.put(quiet, up, down, other, mtg("m9", "newcomer", 1))
	b.later(time.Second)
	want := func(quiet, up, down, other, fresh string) {
		t.Helper()
		for name, sign := range map[string]string{"quiet": quiet, "upwards": up, "downwards": down, "otherwise": other, "newcomer": fresh} {
			if got := at(name); got != " "+sign {
				t.Errorf("%s has %q, want %q\n%s", name, got, sign, b.screen())
			}
		}
	}
	want(" ", "^", "v", "~", "+")
	// A lesser change does not cover a greater one.
	up.People[1] = 9
	b.board.put(up)
	b.later(time.Second)
	want(" ", "^", "v", "~", "+")
	b.later(time.Second)
	want(" ", " ", " ", " ", " ")
}

// TestSortAgrees sorts by every column, both ways, and compares with a sort that
// knows nothing of leads.
func TestSortAgrees(t *testing.T) {
	b := newBench(t, 160, 45)
	scene(b.board)
	crowd(b.board, 300)
	for i := range 60 {
		v := mtg(fmt.Sprint("M-", i%7, "-long-identifier-", i), []string{"", "a", "A", "Meeting 1", "meeting 10 of department", "日本", "Meeting 1 of department 9"}[i%7], policy.Level(i%4))
		v.Started = v.Started.Add(time.Duration(i%5) * time.Second)
		if i%3 == 0 {
			v.Override = &policy.Override{Kind: policy.ForceClear, Who: []string{"bob", "Anna"}[i%2]}
			v.Calls = append(v.Calls, policy.CallView{Bridge: "cms2"})
		}
		b.board.put(v)
	}
	b.frame()
	x := &b.m.meetings
	for by := -1; by < len(x.columns); by++ {
		for _, reverse := range []bool{false, true} {
			x.sortBy(by, reverse)
			for i := 1; i < len(x.all); i++ {
				if x.compare(x.all[i-1], x.all[i]) >= 0 {
					t.Fatalf("by %d, reverse %v: row %d, %q, stands before %q", by, reverse, i, x.all[i-1].val.Name, x.all[i].val.Name)
				}
			}
		}
	}
}
