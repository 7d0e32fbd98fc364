package config

import (
	"time"

	"callmark/policy"
)

// Config is the whole configuration. The tags are the keys of the document.
type Config struct {
	Receiver Receiver `toml:"receiver"`
	CMS      CMS      `toml:"cms"`
	Policy   Policy   `toml:"policy"`
	Marking  Marking  `toml:"marking"`
	State    State    `toml:"state"`
	Metrics  Metrics  `toml:"metrics"`
	Log      Log      `toml:"log"`
	UI       UI       `toml:"ui"`
}

// Receiver is where the Call Bridges post their records.
type Receiver struct {
	Listen     string `toml:"listen"`      // [host]:port
	Path       string `toml:"path"`        // of the URL, without a query
	MaxBodyMB  int    `toml:"max_body_mb"` // MiB of one document; larger ones are refused
	RefusedDir string `toml:"refused_dir"` // for documents that could not be read; empty: they are not kept
	URI        string `toml:"uri"`         // as the Call Bridges post to it; empty: told by port, path and address

	// Who may send records.
	Allow    []string      `toml:"allow"`     // addresses and networks; empty: every one
	Token    policy.Secret `toml:"token"`     // expected as ?token=; after Parse: the one to use, wherever it came from
	TLSCert  string        `toml:"tls_cert"`  // PEM, with what leads to the authority; empty: plain HTTP
	TLSKey   string        `toml:"tls_key"`   // PEM
	ClientCA string        `toml:"client_ca"` // PEM: whose certificates senders must show; empty: none
	Senders  string        `toml:"senders"`   // any or bound

	// What they may send. Zero is refused: there is no such thing as no limit.
	MaxDepth                int           `toml:"max_depth"`                  // elements open at once
	MaxRecords              int           `toml:"max_records"`                // of one document
	MaxValue                int           `toml:"max_value"`                  // bytes of one value; longer ones are cut
	MaxHeaderKB             int           `toml:"max_header_kb"`              // KiB of a request's header
	MaxConnections          int           `toml:"max_connections"`            // at once
	MaxConnectionsPerSource int           `toml:"max_connections_per_source"` // at once, of one address
	MaxRequestsPerSource    int           `toml:"max_requests_per_source"`    // a second, of one address
	ReadTimeout             time.Duration `toml:"read_timeout"`               // for a request to come whole
	IdleTimeout             time.Duration `toml:"idle_timeout"`               // between two requests of a connection
}

// Metrics is where callmark tells how it is, if not on the receiver's port.
type Metrics struct {
	Listen string `toml:"listen"` // [host]:port; empty: the receiver's port
}

// CMS is the API of the servers.
type CMS struct {
	Username           string        `toml:"username"`
	Password           policy.Secret `toml:"password"` // after Parse: the one to use, wherever it came from
	PasswordFile       string        `toml:"password_file"`
	Servers            []string      `toml:"servers"` // host, host:port, https://host:port or http://host:port
	Port               int           `toml:"port"`    // for servers given without one
	CAFile             string        `toml:"ca_file"` // PEM; empty: the system's authorities
	InsecureSkipVerify bool          `toml:"insecure_skip_verify"`
	Pins               []string      `toml:"pins"`              // of the servers' public keys; empty: none is pinned
	ReadsPerSecond     float64       `toml:"reads_per_second"`  // per server
	WritesPerSecond    float64       `toml:"writes_per_second"` // per server

	Resync      time.Duration `toml:"resync"`       // between two reconciliations with a server
	StatusEvery time.Duration `toml:"status_every"` // between two looks at a server's status
}

// Policy is who has which level, and what follows from it.
type Policy struct {
	SecureDomains   []string `toml:"secure_domains"`    // level 1
	InternalDomains []string `toml:"internal_domains"`  // level 2
	Unverified      string   `toml:"unverified"`        // worst or keep
	OverrideOnWorse string   `toml:"override_on_worse"` // fall or keep

	LowerAfter time.Duration `toml:"lower_after"` // a better level is shown once it has lasted so long

	Level [4]Level `toml:"level"` // by level; 0 is not used
}

// Level is what a site calls a level and what its marking says.
type Level struct {
	Name    string `toml:"name"`
	Message string `toml:"message"`
}

// Marking is how a level is shown in a call.
type Marking struct {
	Position  string        `toml:"position"`   // top, middle or bottom
	Duration  time.Duration `toml:"duration"`   // whole seconds; 0: permanent
	OnExit    string        `toml:"on_exit"`    // clear or keep
	MaxLength int           `toml:"max_length"` // characters of any text on the screens
	ASCII     bool          `toml:"ascii"`      // texts on the screens are plain ASCII
}

// State is what outlives a restart.
type State struct {
	File string `toml:"file"` // overrides; empty: they are not kept
}

// Log is the log file.
type Log struct {
	File      string `toml:"file"`
	Format    string `toml:"format"`      // text or json
	MaxSizeMB int    `toml:"max_size_mb"` // MiB of one file, then it is rotated
	Keep      int    `toml:"keep"`        // rotated files
}

// UI is the console.
type UI struct {
	ReadOnly bool `toml:"read_only"` // without the keys that act
	ASCII    bool `toml:"ascii"`     // no line drawing characters

	Theme string `toml:"theme"` // auto, dark, light, 16 or mono
	Bell  string `toml:"bell"`  // when a level rises: off, bell, osc9 or osc777
	State string `toml:"state"` // how the view was left; empty: it is not kept
	Keys  Keys   `toml:"keys"`
}

// Default is what an empty document means. It lacks what only a site can know:
// servers, credentials, and domains.
func Default() Config {
	c := Config{
		Receiver: Receiver{
			Listen: ":5000", Path: "/cdr", MaxBodyMB: 4, RefusedDir: "refused", Senders: "any",
			MaxDepth: 16, MaxRecords: 10_000, MaxValue: 1024, MaxHeaderKB: 8,
			MaxConnections: 1024, MaxConnectionsPerSource: 256, MaxRequestsPerSource: 100_000,
			ReadTimeout: 10 * time.Second, IdleTimeout: 10 * time.Minute,
		},
		CMS:     CMS{Port: 443, ReadsPerSecond: 100, WritesPerSecond: 20, Resync: time.Minute, StatusEvery: 5 * time.Second},
		Policy:  Policy{Unverified: "worst", OverrideOnWorse: "fall"},
		Marking: Marking{Position: "bottom", OnExit: "clear", MaxLength: 60, ASCII: true},
		State:   State{File: "overrides.json"},
		Log:     Log{File: "app.log", Format: "text", MaxSizeMB: 50, Keep: 10},
		UI:      UI{Theme: "auto", Bell: "off", State: "console.json", Keys: defaultKeys()},
	}
	for l, text := range policy.DefaultLevels() {
		c.Policy.Level[l] = Level{text.Name, text.Message}
	}
	return c
}

// PolicyOptions is the configuration as the board wants it. It fails with the
// error of policy.NewRules, which Parse has reported.
func (c Config) PolicyOptions() (policy.Options, error) {
	rules, err := policy.NewRules(c.Policy.SecureDomains, c.Policy.InternalDomains)
	if err != nil {
		return policy.Options{}, err
	}
	o := policy.Options{
		Rules:          rules,
		Position:       c.Marking.Position,
		Duration:       c.Marking.Duration,
		KeepUnverified: c.Policy.Unverified == "keep",
		KeepOverrides:  c.Policy.OverrideOnWorse == "keep",
		LowerAfter:     c.Policy.LowerAfter,
		MaxText:        c.Marking.MaxLength,
		AnyText:        !c.Marking.ASCII,
		BoundSenders:   c.Receiver.Senders == "bound",
	}
	for l := policy.Level1; l <= policy.Level3; l++ {
		o.Levels[l] = policy.LevelText{Name: c.Policy.Level[l].Name, Message: c.Policy.Level[l].Message}
	}
	return o, nil
}
