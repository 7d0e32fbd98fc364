package simulator

import (
	"fmt"
	"net/url"
	"slices"
	"testing"
)

// ids returns the ids of one page.
func (a *api) ids(path string) []string {
	a.t.Helper()
	var ids []string
	for _, n := range a.get(path).Children {
		ids = append(ids, n.attr("id"))
	}
	return ids
}

// readAll reads a list page by page, as a client does that trusts offsets.
func (a *api) readAll(path string) (ids []string, pages []int) {
	a.t.Helper()
	for len(pages) < 1000 {
		page := a.ids(fmt.Sprintf("%s?offset=%d&limit=1000", path, len(ids)))
		if len(page) == 0 {
			break
		}
		ids, pages = append(ids, page...), append(pages, len(page))
	}
	return ids, pages
}

func unique(ids []string) int {
	ids = slices.Clone(ids)
	slices.Sort(ids)
	return len(slices.Compact(ids))
}

func TestPageCaps(t *testing.T) {
	c := startCluster(t, Options{Bridges: 3, PageCap: 7, PageCaps: []int{20, 0}})
	c.Populate(90, 0)
	var apis []*api
	for i, want := range []int{20, 7, 7} {
		apis = append(apis, newAPI(t, c.Bridge(i)))
		if got := len(apis[i].ids("/calls?limit=100")); got != want {
			t.Errorf("Call Bridge %d: %d in a page, want %d", i, got, want)
		}
	}
	b, a := c.Bridge(0), apis[0]
	for _, tt := range []struct{ n, want int }{{3, 3}, {1000, 30}, {0, 20}} {
		b.SetPageCap(tt.n)
		if got := len(a.ids("/calls?limit=100")); got != tt.want {
			t.Errorf("cap %d: %d in a page, want %d", tt.n, got, tt.want)
		}
	}
	if got := len(apis[1].ids("/calls?limit=100")); got != 7 {
		t.Errorf("the other Call Bridge: %d in a page", got)
	}
	if err := (&Options{PageCaps: []int{-1}}).Validate(); err == nil {
		t.Error("a negative cap was accepted")
	}
}

func TestVaryPageCap(t *testing.T) {
	c := startCluster(t, Options{Bridges: 1})
	c.Populate(200, 0)
	b := c.Bridge(0)
	b.VaryPageCap(5)
	a := newAPI(t, b)
	ids, pages := a.readAll("/calls")
	if len(ids) != 200 || unique(ids) != 200 {
		t.Errorf("%d calls read, %d of them different", len(ids), unique(ids))
	}
	slices.Sort(pages)
	if got := slices.Compact(pages); !slices.Equal(got, []int{1, 2, 3, 4, 5}) {
		t.Errorf("pages of %v", got)
	}
	b.SetPageCap(0)
	if got := len(a.ids("/calls")); got != 10 {
		t.Errorf("then %d in a page", got)
	}
}

// TestEndBetweenTwoPages: what stood behind an element that ends moves up, and
// the first one of the next page is missed.
func TestEndBetweenTwoPages(t *testing.T) {
	for _, path := range []string{"/calls", "/callLegs"} {
		c := startCluster(t, Options{Bridges: 1})
		calls := c.Populate(25, 1)
		b := c.Bridge(0)
		missed := calls[10].ID()
		if path == "/callLegs" {
			missed = calls[10].Legs()[0].ID()
		}
		b.OnRequest(func(method, path string, query url.Values) {
			if method == "GET" && (path == root+"/calls" || path == root+"/calllegs") && query.Get("offset") == "10" {
				calls[0].End()
			}
		})
		ids, pages := newAPI(t, b).readAll(path)
		if len(ids) != 24 || unique(ids) != 24 || slices.Contains(ids, missed) || !slices.Equal(pages, []int{10, 10, 4}) {
			t.Errorf("%s: %d read in pages of %v, missed %t", path, unique(ids), pages, !slices.Contains(ids, missed))
		}
	}
}

func TestShuffleLists(t *testing.T) {
	c := startCluster(t, Options{Bridges: 1})
	c.Populate(50, 2)
	b := c.Bridge(0)
	a := newAPI(t, b)
	for _, path := range []string{"/calls", "/callLegs"} {
		want, _ := a.readAll(path)
		b.ShuffleLists(true)
		ids, _ := a.readAll(path)
		if len(ids) != len(want) || unique(ids) == len(want) {
			t.Errorf("%s: %d read, %d of them different: nothing was missed", path, len(ids), unique(ids))
		}
		for range 100 {
			if ids = append(ids, a.ids(path)...); unique(ids) == len(want) {
				break
			}
		}
		if unique(ids) != len(want) {
			t.Errorf("%s: %d of %d are never shown", path, len(want)-unique(ids), len(want))
		}
		b.ShuffleLists(false)
		if got, _ := a.readAll(path); !slices.Equal(got, want) {
			t.Errorf("%s: the order did not come back", path)
		}
	}
}

func TestLatestFirst(t *testing.T) {
	c := startCluster(t, Options{Bridges: 1})
	calls := c.Populate(25, 1)
	b := c.Bridge(0)
	b.LatestFirst(true)
	a := newAPI(t, b)
	if got := a.ids("/calls"); got[0] != calls[24].ID() || got[9] != calls[15].ID() {
		t.Errorf("calls: %v", got)
	}
	old := calls[3].Legs()[0]
	old.Update()
	if got := a.ids("/callLegs")[0]; got != old.ID() {
		t.Errorf("the leg that changed last is not first")
	}
	if got := a.put("/calls/"+calls[5].ID(), "messageText", "x"); got != "200" {
		t.Fatal(got)
	}
	if got := a.ids("/calls")[0]; got != calls[5].ID() {
		t.Error("the call that was written last is not first")
	}
	// One that changes while the list is read is missed, and total says
	// nothing.
	b.OnRequest(func(_, path string, query url.Values) {
		if path == root+"/calllegs" && query.Get("offset") == "10" {
			calls[0].Legs()[0].Hold()
		}
	})
	ids, _ := a.readAll("/callLegs")
	if len(ids) != 25 || unique(ids) != 24 || slices.Contains(ids, calls[0].Legs()[0].ID()) {
		t.Errorf("%d read, %d of them different", len(ids), unique(ids))
	}
	b.LatestFirst(false)
	if got := a.ids("/calls")[0]; got != calls[0].ID() {
		t.Error("the order did not come back")
	}
	if got := b.Legs()[0]; got != calls[0].Legs()[0] {
		t.Error("Legs is not oldest first")
	}
}
