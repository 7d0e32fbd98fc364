package simulator

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// ScriptOptions set up a Script. The zero value is the demo.
type ScriptOptions struct {
	Seed     uint64
	Meetings int // that go on at a time, about; 0: 10
	People   int // most in one meeting, about; 0: 9
	Faults   ScriptFaults
}

// Script plays believable meetings on a cluster: people of all levels come, wait
// in the lobby, are transferred and leave; meetings spread over Call Bridges,
// end, and new ones begin. What it does follows from the seed alone, if nobody
// else changes the cluster. It is not safe for concurrent use.
type Script struct {
	cluster  *Cluster
	opts     ScriptOptions
	rng      *rand.Rand
	scenes   []*scene
	arrivals []arrival
	opened   int
	steps    int
	troubles []trouble
}

// scene is a meeting that the script plays.
type scene struct {
	name       string
	coSpace    string
	correlator string
	level      int // of the least trusted people who are expected
	crowd      int // how many people it has room for
	calls      []*Call
	people     []*Leg
	media      *Media
	recorder   *Leg // nil: the server records by itself
}

// arrival is somebody on the way into a meeting.
type arrival struct {
	leg   *Leg
	scene *scene
	stage stage
}

// stage is what happens next to somebody on the way.
type stage uint8

const (
	toIVR stage = iota
	toCall
	toAdmit
)

// NewScript makes a script for a cluster; nothing happens yet.
func NewScript(c *Cluster, opts ScriptOptions) *Script {
	setDefault(&opts.Meetings, 10)
	setDefault(&opts.People, 9)
	return &Script{cluster: c, opts: opts, rng: rand.New(rand.NewPCG(opts.Seed, 0x736372))} // #nosec G404 -- a demo that can be played again
}

// Play opens 8 to 12 meetings within the first second and then performs a Step
// every 0.3 to 1 s, until ctx ends. It returns nil then.
func (s *Script) Play(ctx context.Context) error {
	n := 8 + s.rng.IntN(5)
	for range n {
		s.Open()
		if !sleep(ctx, 900*time.Millisecond/time.Duration(n)) {
			return nil
		}
	}
	for sleep(ctx, s.between(300*time.Millisecond, time.Second)) {
		s.Step()
	}
	return nil
}

func (s *Script) between(from, to time.Duration) time.Duration {
	return from + time.Duration(s.rng.Int64N(int64(to-from)))
}

// Open begins a meeting with some people in it.
func (s *Script) Open() {
	// The first meetings show all levels; later ones are as they come.
	level := []int{3, 1, 2, 2, 3, 1}[s.opened%6]
	if s.opened >= 6 {
		level = s.pick(3, 4, 4) + 1
	}
	sc := &scene{
		name:  s.freeName(),
		level: level,
		crowd: 2 + s.rng.IntN(max(1, s.opts.People-1)),
	}
	s.opened++
	s.scenes = append(s.scenes, sc)
	// Somebody dials in first, which is what starts the call.
	b := s.bridge()
	first := b.NewLeg(s.person(sc))
	s.cluster.Together(func() {
		call := s.openCall(sc, b)
		first.Join(call)
	})
	sc.people = append(sc.people, first)
	for range 1 + s.rng.IntN(min(4, sc.crowd)) {
		sc.people = append(sc.people, s.callOn(sc, s.anyCall(sc).bridge).Join(s.person(sc)))
	}
	if s.chance(0.3) {
		s.spread(sc)
	}
}

// Step performs one random action without waiting, and returns its name.
func (s *Script) Step() string {
	s.tidy()
	s.relieve()
	s.fault()
	s.tidy()
	if len(s.scenes) == 0 || (len(s.scenes) < s.opts.Meetings && s.chance(0.3)) {
		s.Open()
		return "open"
	}
	// Somebody on the way goes on soon.
	if len(s.arrivals) > 0 && s.chance(0.4) {
		return s.advance()
	}
	sc := s.scenes[s.rng.IntN(len(s.scenes))]
	actions := []struct {
		name   string
		weight int
		do     func(*scene) bool
	}{
		{"arrive", 40, s.arrive},
		{"leave", 30, s.leave},
		{"hold", 6, s.hold},
		{"lobby", 3, s.lobby},
		{"transfer", 4, s.transfer},
		{"move", 4, s.move},
		{"spread", 4, s.spread},
		{"rename", 2, s.rename},
		{"present", 2, s.present},
		{"record", 3, s.record},
		{"repeat", 2, s.repeat},
		{"close", 2, s.close},
	}
	weights := make([]int, len(actions))
	for i, a := range actions {
		weights[i] = a.weight
	}
	if a := actions[s.pick(weights...)]; a.do(sc) {
		return a.name
	}
	if s.arrive(sc) {
		return "arrive"
	}
	s.leave(sc)
	return "leave"
}

// tidy forgets who and what is gone, and ends what only links keep alive.
func (s *Script) tidy() {
	for _, sc := range s.scenes {
		sc.people = slices.DeleteFunc(sc.people, func(leg *Leg) bool { return !leg.Running() })
		for _, call := range sc.calls {
			if legs := call.Legs(); !slices.ContainsFunc(legs, func(leg *Leg) bool { return leg.spec.isPerson() }) {
				call.End()
			}
		}
		sc.calls = slices.DeleteFunc(sc.calls, func(call *Call) bool { return !call.Running() })
	}
	s.scenes = slices.DeleteFunc(s.scenes, func(sc *scene) bool { return len(sc.calls) == 0 })
	s.arrivals = slices.DeleteFunc(s.arrivals, func(a arrival) bool {
		if a.leg.Running() && len(a.scene.calls) == 0 {
			a.leg.End()
		}
		return !a.leg.Running()
	})
}

// arrive brings somebody: at once, or in stages that later steps go on with.
func (s *Script) arrive(sc *scene) bool {
	if len(sc.people) >= sc.crowd {
		return false
	}
	b := s.anyCall(sc).bridge
	spec := s.person(sc)
	switch s.pick(12, 3, 3, 2) {
	case 0:
		sc.people = append(sc.people, s.callOn(sc, b).Join(spec))
	case 1:
		s.arrivals = append(s.arrivals, arrival{b.NewLeg(spec), sc, toIVR})
	case 2:
		s.arrivals = append(s.arrivals, arrival{b.NewLeg(spec), sc, toCall})
	default:
		spec.Lobby = true
		leg := s.callOn(sc, b).Join(spec)
		s.arrivals = append(s.arrivals, arrival{leg, sc, toAdmit})
	}
	return true
}

// advance takes somebody on the way one stage further.
func (s *Script) advance() string {
	i := s.rng.IntN(len(s.arrivals))
	a := &s.arrivals[i]
	switch a.stage {
	case toIVR:
		a.leg.EnterIVR()
		a.stage = toCall
		return "ivr"
	case toCall:
		s.cluster.Together(func() { a.leg.Join(s.callOn(a.scene, a.leg.bridge)) })
	case toAdmit:
		a.leg.Admit()
	}
	a.scene.people = append(a.scene.people, a.leg)
	s.arrivals = slices.Delete(s.arrivals, i, i+1)
	return "join"
}

func (s *Script) leave(sc *scene) bool {
	leg := s.anyone(sc)
	if leg == nil || (len(sc.people) < 3 && s.chance(0.7)) {
		return false
	}
	if s.chance(0.3) {
		leg.Fade()
	}
	leg.End()
	return true
}

func (s *Script) hold(sc *scene) bool {
	leg := s.anyone(sc)
	if leg == nil {
		return false
	}
	if leg.State() == onHold.String() {
		leg.Resume()
	} else {
		leg.Hold()
	}
	return true
}

// lobby sends somebody back to the lobby.
func (s *Script) lobby(sc *scene) bool {
	leg := s.anyone(sc)
	if leg == nil || len(sc.people) < 3 {
		return false
	}
	leg.Deactivate()
	sc.people = slices.DeleteFunc(sc.people, func(other *Leg) bool { return other == leg })
	s.arrivals = append(s.arrivals, arrival{leg, sc, toAdmit})
	return true
}

// transfer hands somebody's SIP connection to somebody else.
func (s *Script) transfer(sc *scene) bool {
	leg := s.anyone(sc)
	if leg == nil || leg.spec.Type != "sip" {
		return false
	}
	to := s.sipPerson(s.levelFor(sc))
	leg.Transfer(to.Name, to.Address, to.Level)
	return true
}

// move takes somebody to another Call Bridge of the meeting, or else to another
// meeting.
func (s *Script) move(sc *scene) bool {
	leg := s.anyone(sc)
	if leg == nil || len(sc.people) < 3 {
		return false
	}
	target := sc
	if len(sc.calls) < 2 {
		target = s.scenes[s.rng.IntN(len(s.scenes))]
	}
	for _, call := range target.calls {
		reachable := !s.cluster.opts.Standalone || call.bridge == leg.bridge
		if reachable && call != leg.Call() && leg.Level() <= target.level {
			target.people = append(target.people, leg.Move(call))
			return true
		}
	}
	return false
}

// spread opens the meeting on one more Call Bridge.
func (s *Script) spread(sc *scene) bool {
	b := s.bridge()
	if s.cluster.opts.Standalone || len(sc.calls) == 0 || len(sc.calls) > 1 || s.on(sc, b) != nil {
		return false
	}
	sc.people = append(sc.people, s.callOn(sc, b).Join(s.person(sc)))
	return true
}

func (s *Script) rename(sc *scene) bool {
	leg := s.anyone(sc)
	if leg == nil {
		return false
	}
	leg.SetName(leg.spec.Name + " (moderator)")
	return true
}

// present adds a presentation leg to somebody, in the same group.
func (s *Script) present(sc *scene) bool {
	leg := s.anyone(sc)
	if leg == nil || leg.spec.Type != "sip" || leg.Call() == nil {
		return false
	}
	spec := leg.spec
	spec.Name, spec.Address, spec.Level = leg.spec.Name+" (screen)", leg.Address(), leg.Level()
	spec.SubType, spec.LyncSubType, spec.GroupID = "lync", "applicationSharing", leg.groupID
	spec.Lobby = false
	sc.people = append(sc.people, leg.Call().Join(spec))
	return true
}

// record starts or stops a recording; its recorder may be a leg.
func (s *Script) record(sc *scene) bool {
	if sc.media != nil {
		sc.media.Stop()
		if sc.recorder != nil {
			sc.recorder.End()
		}
		sc.media, sc.recorder = nil, nil
		return true
	}
	call := s.anyCall(sc)
	if s.chance(0.5) {
		sc.recorder = call.Join(Recorder())
	}
	sc.media = call.Record("spaces/" + call.id + "/recording.mp4")
	return true
}

func (s *Script) repeat(sc *scene) bool {
	leg := s.anyone(sc)
	if leg == nil {
		return false
	}
	leg.Update()
	return true
}

// close ends the meeting.
func (s *Script) close(sc *scene) bool {
	if len(s.scenes) < s.opts.Meetings/2 {
		return false
	}
	abrupt := s.chance(0.2)
	for _, call := range sc.calls {
		if abrupt {
			call.EndAbruptly()
		} else {
			call.End()
		}
	}
	return true
}

// callOn returns the scene's call on a Call Bridge, which it opens, with links
// to the others, if there is none.
func (s *Script) callOn(sc *scene, b *Bridge) *Call {
	if call := s.on(sc, b); call != nil {
		return call
	}
	return s.openCall(sc, b)
}

func (s *Script) openCall(sc *scene, b *Bridge) *Call {
	call := b.StartCall(CallSpec{Name: sc.name, CoSpace: sc.coSpace, Correlator: sc.correlator, OwnerName: "Protocol office"})
	sc.coSpace, sc.correlator = call.CoSpace(), call.Correlator()
	for _, other := range sc.calls {
		Link(call, other)
	}
	sc.calls = append(sc.calls, call)
	return call
}

// on returns the scene's call on a Call Bridge, or nil.
func (s *Script) on(sc *scene, b *Bridge) *Call {
	for _, call := range sc.calls {
		if call.bridge == b && call.Running() {
			return call
		}
	}
	return nil
}

// person makes somebody who fits into a meeting, or now and then does not. It
// tries to find somebody who is not there yet.
func (s *Script) person(sc *scene) LegSpec {
	spec := s.anybody(sc)
	for range 5 {
		if !slices.ContainsFunc(sc.people, func(leg *Leg) bool { return leg.spec.Name == spec.Name }) {
			break
		}
		spec = s.anybody(sc)
	}
	return spec
}

func (s *Script) anybody(sc *scene) LegSpec {
	if level := s.levelFor(sc); level < 3 || s.chance(0.4) {
		return s.sipPerson(level)
	}
	who := outsiders[s.rng.IntN(len(outsiders))]
	insider := employees[s.rng.IntN(len(employees))]
	switch s.pick(4, 2, 1, 2) {
	case 0:
		spec := Guest(who.name)
		spec.Level = 3
		return spec
	case 1:
		// An employee with a web client is as far away as any other.
		spec := App(insider.name, insider.user+"@"+DemoInternalDomain)
		spec.Level = 3
		return spec
	case 2:
		spec := OldApp(who.name, who.user+"@partner.example")
		spec.Level = 3
		return spec
	}
	spec := Phone(fmt.Sprintf("0%09d", s.rng.IntN(1_000_000_000)), "192.0.2.20")
	spec.Level = 3
	return spec
}

// levelFor is the level of somebody who comes to a meeting.
func (s *Script) levelFor(sc *scene) int {
	switch {
	case sc.level < 3 && s.chance(0.06):
		return 3 // somebody whom nobody expected
	case s.chance(0.45):
		return sc.level
	}
	return 1 + s.rng.IntN(sc.level)
}

// sipPerson makes somebody with a SIP address.
func (s *Script) sipPerson(level int) LegSpec {
	var who identity
	var host string
	switch level {
	case 1:
		who, host = rooms[s.rng.IntN(len(rooms))], DemoSecureDomain
	case 2:
		who, host = employees[s.rng.IntN(len(employees))], DemoInternalDomain
	default:
		who, host = outsiders[s.rng.IntN(len(outsiders))], demoExternalDomains[s.rng.IntN(len(demoExternalDomains))]
	}
	// The same address is written in many ways.
	format := []string{"%s@%s", "%s@%s", "%s@%s", "sip:%s@%s", "sip:%s@%s:5061;transport=tls", "%s@%s."}[s.rng.IntN(6)]
	spec := SIP(who.name, fmt.Sprintf(format, who.user, host))
	spec.Level = level
	return spec
}

// freeName returns the name of a meeting that does not go on.
func (s *Script) freeName() string {
	start := s.rng.IntN(len(spaceNames))
	for i := range spaceNames {
		name := spaceNames[(start+i)%len(spaceNames)]
		if !slices.ContainsFunc(s.scenes, func(sc *scene) bool { return sc.name == name }) {
			return name
		}
	}
	return fmt.Sprintf("%s %d", spaceNames[start], s.opened+1)
}

func (s *Script) bridge() *Bridge { return s.cluster.bridges[s.rng.IntN(len(s.cluster.bridges))] }

func (s *Script) anyCall(sc *scene) *Call { return sc.calls[s.rng.IntN(len(sc.calls))] }

// anyone returns somebody in the meeting who has arrived, or nil.
func (s *Script) anyone(sc *scene) *Leg {
	if len(sc.people) == 0 {
		return nil
	}
	return sc.people[s.rng.IntN(len(sc.people))]
}

func (s *Script) chance(p float64) bool { return p > 0 && s.rng.Float64() < p }

// pick returns the number of one of the weights, by chance.
func (s *Script) pick(weights ...int) int {
	sum := 0
	for _, w := range weights {
		sum += w
	}
	n := s.rng.IntN(sum)
	for i, w := range weights {
		if n -= w; n < 0 {
			return i
		}
	}
	return 0
}
