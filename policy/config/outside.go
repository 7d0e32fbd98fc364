package config

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io/fs"
	"net/url"
	"path/filepath"
	"strings"
	"unicode"

	"callmark/policy"
)

// checkOutside looks at what the document refers to, and decides the password.
func (r *reading) checkOutside(c *Config, out Outside) {
	r.checkCredentials(c, out)
	r.checkToken(c, out)
	if out.ReadFile == nil {
		return
	}
	r.checkAuthority("cms.ca_file", c.CMS.CAFile, out)
	r.checkAuthority("receiver.client_ca", c.Receiver.ClientCA, out)
	r.checkCertificate(c.Receiver, out)
}

// checkAuthority looks whether a file holds certificates, if it is named.
func (r *reading) checkAuthority(key, name string, out Outside) {
	if name == "" {
		return
	}
	pem, err := out.ReadFile(name)
	switch {
	case err != nil:
		r.refuse(key, "%s cannot be read: %s: name a readable file with the authority's certificate", quote(name), reason(err))
	case !x509.NewCertPool().AppendCertsFromPEM(pem):
		r.refuse(key, "%s holds no certificate in PEM form, which begins with -----BEGIN CERTIFICATE-----: convert it, or name the right file", quote(name))
	}
}

// checkCertificate looks whether the receiver's certificate and key are there
// and belong together.
func (r *reading) checkCertificate(c Receiver, out Outside) {
	if c.TLSCert == "" || c.TLSKey == "" {
		return
	}
	cert, err := out.ReadFile(c.TLSCert)
	if err != nil {
		r.refuse("receiver.tls_cert", "%s cannot be read: %s: name a readable file with the receiver's certificate", quote(c.TLSCert), reason(err))
		return
	}
	key, err := out.ReadFile(c.TLSKey)
	if err != nil {
		r.refuse("receiver.tls_key", "%s cannot be read: %s: name a file with the certificate's key that callmark may read", quote(c.TLSKey), reason(err))
		return
	}
	if _, err := tls.X509KeyPair(cert, key); err != nil {
		r.refuse("receiver.tls_cert", "%s and %s cannot be used: %s: name a certificate and its own key, both in PEM form, the key without a passphrase", quote(c.TLSCert), quote(c.TLSKey), reason(err))
		return
	}
	r.checkMode("receiver.tls_key", quote(c.TLSKey), c.TLSKey, out)
}

// minToken is how long a token should be: shorter ones can be guessed.
const minToken = 16

// checkToken finds the token: the environment's, else systemd's, else the
// document's. It warns where nothing at all says who may send records.
func (r *reading) checkToken(c *Config, out Outside) {
	const key = "receiver.token"
	if c.Receiver.Token.Reveal() != "" {
		r.checkMode(key, "this file, which holds a token,", r.file, out)
	} else if u, err := url.Parse(c.Receiver.URI); err == nil && u.Query().Has("token") {
		r.checkMode("receiver.uri", "this file, which holds a token,", r.file, out)
	}
	if text, from := r.outsideSecret(key, TokenVariable, tokenCredential, out); text != "" {
		if c.Receiver.Token.Reveal() != "" {
			r.warn(key, "it is not used: %s wins; remove one of them", from)
		}
		c.Receiver.Token = policy.NewSecret(text)
	}
	token := c.Receiver.Token.Reveal()
	switch {
	case token == "":
		if c.Receiver.Open() {
			r.warn("receiver", "anybody who reaches the port can send records, and with them hide who is in a meeting: set allow, token, or client_ca")
		}
	case strings.Trim(token, tokenCharacters) != "":
		r.refuse(key, "it holds more than letters, digits and - _ . ~, which a URI cannot carry as they are: use these alone")
	case len(token) > 256:
		r.refuse(key, "it has more than 256 characters: write a shorter one")
	case len(token) < minToken:
		r.warn(key, "it has fewer than %d characters and can be guessed: write a longer one, like that of openssl rand -hex 16", minToken)
	}
}

const tokenCharacters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~"

// outsideSecret is a secret of the environment, else one that systemd passes as
// a credential, and where it is from. A credential that is there and holds
// nothing that can be read is refused, not passed over: whoever set it counts on
// it.
func (r *reading) outsideSecret(key, variable, credential string, out Outside) (text, from string) {
	if out.Getenv == nil {
		return "", ""
	}
	if text := out.Getenv(variable); text != "" {
		return text, "the environment variable " + variable
	}
	folder := out.Getenv("CREDENTIALS_DIRECTORY")
	if folder == "" || out.ReadFile == nil {
		return "", ""
	}
	from = "systemd's credential " + credential
	data, err := out.ReadFile(filepath.Join(folder, credential))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", ""
	case err != nil:
		r.refuse(key, "%s cannot be read: %s: give this user the right to read it, or do not pass it", from, reason(err))
		return "", from
	}
	if text = oneLine(data); text == "" {
		r.refuse(key, "%s is empty: write the secret into it, or do not pass it", from)
	}
	return text, from
}

// oneLine is what a file holds, without the end of its line.
func oneLine(data []byte) string {
	return strings.TrimSuffix(strings.TrimSuffix(strings.TrimPrefix(string(data), "\ufeff"), "\n"), "\r")
}

// checkCredentials finds the password: the environment's, else systemd's, else
// password_file's, else the document's.
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
	password, from := r.outsideSecret("cms.password", PasswordVariable, passwordCredential, out)
	if password == "" && from != "" {
		return // it is refused
	}
	if password != "" {
		switch {
		case c.CMS.PasswordFile != "":
			r.warn("cms.password_file", "it is not used: %s wins; remove one of them", from)
		case written:
			r.warn("cms.password", "it is not used: %s wins; remove one of them", from)
		}
		if strings.ContainsFunc(password, unicode.IsControl) {
			r.refuse("cms.password", "%s holds control characters: set it to the password alone", from)
		}
		c.CMS.Password = policy.NewSecret(password)
		return
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
	text := oneLine(data)
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
