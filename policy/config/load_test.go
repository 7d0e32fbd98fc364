package config

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// outside is a world of a few files.
func outside(env string, files map[string]string, modes map[string]fs.FileMode) Outside {
	return Outside{
		Getenv: func(name string) string {
			if name == PasswordVariable {
				return env
			}
			return ""
		},
		ReadFile: func(name string) ([]byte, error) {
			s, ok := files[name]
			if !ok {
				return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
			}
			return []byte(s), nil
		},
		Mode: func(name string) (fs.FileMode, error) {
			if m, ok := modes[name]; ok {
				return m, nil
			}
			return 0, errors.New("no mode")
		},
	}
}

func TestPassword(t *testing.T) {
	const base = "[policy]\nsecure_domains = [\"a.example\"]\n[cms]\nusername = \"u\"\nservers = [\"a.test\"]\n"
	const inFile, written = "password_file = \"f\"\n", "password = \"written\"\n"
	for _, tc := range []struct {
		name, doc, env string
		files          map[string]string
		modes          map[string]fs.FileMode
		password       string
		want           []said
	}{
		{name: "written", doc: written, password: "written"},
		{name: "environment", env: "e", password: "e"},
		{name: "environment wins", doc: written, env: "e", password: "e",
			want: []said{{6, "cms.password", "warning: it is not used"}}},
		{name: "environment wins over the file", doc: inFile, env: "e", password: "e",
			want: []said{{6, "cms.password_file", "warning: it is not used"}}},
		{name: "file", doc: inFile, files: map[string]string{"f": "from file\r\n"}, password: "from file"},
		{name: "file and written", doc: written + inFile, files: map[string]string{"f": "x"}, password: "written",
			want: []said{{7, "cms.password_file", "both set"}}},
		{name: "no file", doc: inFile, want: []said{{6, "cms.password_file", `"f" cannot be read: file does not exist`}}},
		{name: "empty file", doc: inFile, files: map[string]string{"f": "\n"}, want: []said{{6, "cms.password_file", "is empty"}}},
		{name: "file of two lines", doc: inFile, files: map[string]string{"f": "a\nb\n"}, want: []said{{6, "cms.password_file", "more than one line"}}},
		{name: "none", want: []said{{3, "cms.password", "no password is given"}}},
		{name: "empty ones", doc: "password = \"\"\npassword_file = \"\"", want: []said{{6, "cms.password", "no password is given"}}},
		{name: "environment with a line end", env: "e\n", password: "e\n", want: []said{{3, "cms.password", "control characters"}}},
		{name: "everybody reads it", doc: written, modes: map[string]fs.FileMode{"config.toml": 0o644}, password: "written",
			want: []said{{6, "cms.password", `warning: this file, which holds a password, can be read or changed by every user of this machine (mode 0644): chmod o-rwx "config.toml"`}}},
		{name: "everybody reads the file", doc: inFile, files: map[string]string{"f": "x"}, password: "x",
			modes: map[string]fs.FileMode{"f": 0o604, "config.toml": 0o644},
			want:  []said{{6, "cms.password_file", `warning: "f" can be read`}}},
		{name: "a group reads it", doc: written, modes: map[string]fs.FileMode{"config.toml": 0o640}, password: "written"},
		{name: "nothing to hide", doc: "", env: "e", modes: map[string]fs.FileMode{"config.toml": 0o644}, password: "e"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c, problems := Parse("config.toml", []byte(base+tc.doc), outside(tc.env, tc.files, tc.modes))
			expect(t, problems, tc.want)
			if got := c.CMS.Password.Reveal(); got != tc.password {
				t.Errorf("password %q, want %q", got, tc.password)
			}
			for _, p := range problems {
				if tc.password != "" && tc.password != "e" && tc.password != "x" && strings.Contains(p.String(), tc.password) {
					t.Errorf("the password is in %s", p)
				}
			}
		})
	}
}

func TestCAFile(t *testing.T) {
	doc := good + "cms.ca_file = \"ca.pem\""
	for _, tc := range []struct {
		name  string
		files map[string]string
		want  []said
	}{
		{"good", map[string]string{"ca.pem": certificate(t)}, nil},
		{"missing", nil, []said{{5, "cms.ca_file", `"ca.pem" cannot be read: file does not exist`}}},
		{"no certificate", map[string]string{"ca.pem": "hello"}, []said{{5, "cms.ca_file", "holds no certificate"}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, problems := Parse("config.toml", []byte(doc), outside("", tc.files, nil))
			expect(t, problems, tc.want)
		})
	}
}

func certificate(t *testing.T) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

func TestLoad(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string, mode fs.FileMode) string {
		name = filepath.Join(dir, name)
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(name, mode); err != nil {
			t.Fatal(err)
		}
		return name
	}

	name := write("good.toml", good, 0o600)
	c, problems := Load(name, nil)
	expect(t, problems, nil)
	if c.CMS.Password.Reveal() != "p" {
		t.Error("the document's password is not taken")
	}
	c, problems = Load(name, func(name string) string { return map[string]string{PasswordVariable: "e"}[name] })
	expect(t, problems, []said{{3, "cms.password", "warning: it is not used"}})
	if c.CMS.Password.Reveal() != "e" {
		t.Error("the environment does not win")
	}
	if runtime.GOOS != "windows" {
		_, problems = Load(write("open.toml", good, 0o644), nil)
		expect(t, problems, []said{{3, "cms.password", "warning: this file"}})
	}

	secret := write("secret", "s\n", 0o600)
	doc := strings.Replace(good, `password = "p"`, "password_file = '"+secret+"'", 1)
	c, problems = Load(write("file.toml", doc, 0o644), nil)
	expect(t, problems, nil)
	if c.CMS.Password.Reveal() != "s" {
		t.Error("the file's password is not taken")
	}

	missing := filepath.Join(dir, "none.toml")
	_, problems = Load(missing, nil)
	expect(t, problems, []said{{0, "", "there is no such file: create it"}})
	for _, part := range []string{missing + ": ", "config.toml", "--config", "--demo"} {
		if !strings.Contains(problems.String(), part) {
			t.Errorf("%s: does not say %s", problems, part)
		}
	}
	_, problems = Load(dir, nil)
	expect(t, problems, []said{{0, "", "it cannot be read: is a directory"}})
	_, problems = Load(write("huge.toml", strings.Repeat("#\n", 4<<20), 0o600), nil)
	expect(t, problems, []said{{0, "", "more than 4 MiB"}})
}
