package config

import (
	"fmt"
	"strings"
	"testing"

	"callmark/policy"
)

func TestPrintedConfigurationHoldsNoSecret(t *testing.T) {
	c := Default()
	c.CMS.Password, c.Receiver.Token = policy.NewSecret("hush1"), policy.NewSecret("hush2")
	c.Receiver.URI = "http://callmark.example/cdr?token=hush3"
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
		for _, v := range []any{c, &c, c.Receiver, &c.Receiver, []Receiver{c.Receiver}} {
			if text := fmt.Sprintf(verb, v); strings.Contains(text, "hush") || strings.Contains(text, "6875736833") {
				t.Errorf("%s prints %s", verb, text)
			}
		}
	}
	if text := fmt.Sprintf("%+v", c); !strings.Contains(text, "Listen::5000") || !strings.Contains(text, "URI:http://callmark.example/cdr?[redacted]") {
		t.Errorf("it prints %s", text)
	}
}
