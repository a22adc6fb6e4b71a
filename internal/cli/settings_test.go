package cli

import (
	"testing"

	"github.com/spf13/pflag"
)

func TestTheEffectiveSettingsAreLoggedWithoutCredentials(t *testing.T) {
	var f operatorFlags
	flags := pflag.NewFlagSet("operator", pflag.ContinueOnError)
	f.add(flags)
	if err := flags.Parse([]string{"--hub-url=https://user:hidden@hub.example/root?key=hidden", "--hub-qps=3"}); err != nil {
		t.Fatal(err)
	}
	got := settings(flags)
	for name, want := range map[string]string{
		"hub-url": "https://hub.example/root?…", "hub-qps": "3", "hub-burst": operatorDefaults["hub-burst"],
	} {
		if got[name] != want {
			t.Errorf("%s is logged as %q, want %q", name, got[name], want)
		}
	}
}
