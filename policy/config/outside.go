package config

import (
	"crypto/x509"
	"errors"
	"io/fs"
	"strings"
	"unicode"

	"callmark/policy"
)

// checkOutside looks at what the document refers to, and decides the password.
func (r *reading) checkOutside(c *Config, out Outside) {
	r.checkCredentials(c, out)
	if c.CMS.CAFile == "" || out.ReadFile == nil {
		return
	}
	pem, err := out.ReadFile(c.CMS.CAFile)
	switch {
	case err != nil:
		r.refuse("cms.ca_file", "%s cannot be read: %s: name a readable file with the authority's certificate", quote(c.CMS.CAFile), reason(err))
	case !x509.NewCertPool().AppendCertsFromPEM(pem):
		r.refuse("cms.ca_file", "%s holds no certificate in PEM form, which begins with -----BEGIN CERTIFICATE-----: convert it, or name the right file", quote(c.CMS.CAFile))
	}
}

// checkCredentials finds the password: the environment's, else password_file's,
// else the document's.
func (r *reading) checkCredentials(c *Config, out Outside) {
	switch user := c.CMS.Username; {
	case user == "":
		r.refuse("cms.username", "no user is given: write the name of an account of the servers that has the role api")
	case strings.ContainsFunc(user, unicode.IsControl) || strings.Contains(user, ":"):
		r.refuse("cms.username", "it holds a colon or control characters, which HTTP cannot carry: use an account without")
	case strings.TrimSpace(user) != user:
		r.refuse("cms.username", "it begins or ends in a blank: remove the blank")
	}

	written := c.CMS.Password.Reveal() != ""
	if written && c.CMS.PasswordFile != "" {
		r.refuse("cms.password_file", "password and password_file are both set, and only one can be right: remove one of them")
	}
	if written {
		r.checkMode("cms.password", "this file, which holds a password,", r.file, out)
	}
	if out.Getenv != nil {
		if password := out.Getenv(PasswordVariable); password != "" {
			switch {
			case c.CMS.PasswordFile != "":
				r.warn("cms.password_file", "it is not used: the environment variable "+PasswordVariable+" wins; remove one of them")
			case written:
				r.warn("cms.password", "it is not used: the environment variable "+PasswordVariable+" wins; remove one of them")
			}
			if strings.ContainsFunc(password, unicode.IsControl) {
				r.refuse("cms.password", "the environment variable "+PasswordVariable+" holds control characters: set it to the password alone")
			}
			c.CMS.Password = policy.NewSecret(password)
			return
		}
	}

	switch {
	case c.CMS.PasswordFile != "":
		if !written && out.ReadFile != nil {
			r.readPassword(c, out)
		}
	case !written && !r.spoiled["cms.password_file"]:
		r.refuse("cms.password", "no password is given: write it here, name a file in password_file, or set the environment variable "+PasswordVariable)
	case strings.ContainsFunc(c.CMS.Password.Reveal(), unicode.IsControl):
		r.refuse("cms.password", `it holds control characters: write \\ for each \, or put it between 'single quotes'`)
	}
}

// readPassword takes the password from its file: one line.
func (r *reading) readPassword(c *Config, out Outside) {
	const key = "cms.password_file"
	name := c.CMS.PasswordFile
	data, err := out.ReadFile(name)
	if err != nil {
		r.refuse(key, "%s cannot be read: %s: name a file that holds the password and that callmark may read", quote(name), reason(err))
		return
	}
	text := strings.TrimSuffix(strings.TrimSuffix(strings.TrimPrefix(string(data), "\ufeff"), "\n"), "\r")
	switch {
	case text == "":
		r.refuse(key, "%s is empty: write the password into it", quote(name))
	case strings.ContainsFunc(text, unicode.IsControl):
		r.refuse(key, "%s holds more than one line, or control characters: write the password alone into it", quote(name))
	default:
		c.CMS.Password = policy.NewSecret(text)
		r.checkMode(key, quote(name), name, out)
	}
}

// checkMode warns of a file with a password that every user of the machine can
// read or change. A group is a site's own choice.
func (r *reading) checkMode(key, what, name string, out Outside) {
	if out.Mode == nil {
		return
	}
	if mode, err := out.Mode(name); err == nil && mode.Perm()&0o006 != 0 {
		r.warn(key, "%s can be read or changed by every user of this machine (mode %04o): chmod o-rwx %s", what, mode.Perm(), quote(name))
	}
}

// reason is an error without the name of the file, which stands beside it.
func reason(err error) string {
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		err = pe.Err
	}
	return strings.ReplaceAll(err.Error(), "\n", " ")
}
