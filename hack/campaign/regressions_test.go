package campaign_test

import "testing"

// regressions are the bugs of the operator that the campaign found, by what must not happen again, each with the
// schedule that showed it. What the seed of a walk means changes with the steps that there are, and with their weights.
var regressions = map[string]string{
	"a secret is redefined while status says ready":                "rotate/fresh/3:conflict",
	"a secret is redefined while status says ready, after a kill":  "rotate/lagging/3:kill-before",
	"a duplicate that is gone is deleted again and again":          "delete-open-create/fresh/4:late",
	"a conflict with a stale cache is retried ten times a second":  "delete/lagging/2:kill-before",
	"the Hub is asked at each conflict with a stale cache":         "removed/lagging/5:kill-before",
	"looks take every turn that a deletion waits for":              "walk/18/0,2,3,4,5,9,13",
	"a refused call waits for ever while a user asks for a look":   "update-among-many/fresh/5:unauthorized",
	"a conflict outlasts the other resource's Application":         "walk@renames-secrets/251/3,11,18,19",
	"a webhook that nobody knows the key of counts as deleted":     "walk/44/0,7,14,22",
	"a false 404 loses the webhook that the spec names":            "adopt-by-id@reads-lag/fresh/6:not-found",
	"a false 404 has a webhook registered anew":                    "update-among-many/fresh/2:not-found",
	"a webhook is registered anew right after the key changed":     "walk@old/11/0,20,22,23",
	"a webhook whose status was wiped counts as deleted":           "walk@says-little/20591/0,11,12,13,14,15,17",
	"a webhook that nobody knows the key of is adopted by another": "walk/258/0,6,9,13,16",
	"a leader of before redefines what its successor has stored":   "walk/3892/0,15,16,17,18,19,20",
	"a resource waits for one that declares something else":        "walk/21170/0,1,4,13,15,17,19",
	"a suspended resource says verified of an endpoint of before":  "walk@old/25783/0,3,6,8,9,11,13",
	"an adopted webhook goes on signing where that is not shown":   "walk@old/48175/",
	"a secret is called live while an update may end it":           "walk/46418/0,1,2,3",
	"a look that status cannot tell of is answered without end":    "walk@ignores-labels/55595/0,1,2,6,7,9,11,16,17,20",
	"a key that is put back shows the webhook as it was before":    "walk@old/67681/0,1,5,23",
	"signing is turned off, and a death and spec turn it on again": "walk@old/68539/7,14,15,17,18",
	"a secret is kept that another resource has had replaced":      "walk/70244/1,3,4,6,8,15,16",
	"a webhook is adopted whose secret a suspended resource holds": "walk/105500/0,1,3,4,5,6",
	"a read of before a reset of the verification is believed":     "walk@old/109163/0,3,12,13,14,15,17,19,20",
	"a key that an observation finds refused is tried again":       "update/fresh/3:unauthorized",
	"a late redefinition kills what signing on again has made":     "walk@short-pages/12529/0,2,3,4,6,11,13,14,15,16",
	"a key is put back while another one has changed the webhook":  "walk/711018/18,21,23",
	"a verification that was taken back outlasts a lost write":     "walk/1014908/0,9,14,16,17,18",
}

func TestRegressions(t *testing.T) {
	for bug, replay := range regressions {
		t.Run(bug, func(t *testing.T) {
			r, err := playAgain(replay)
			if err != nil {
				t.Fatal(err)
			}
			if len(r.broken) > 0 {
				t.Error(r.report(replay))
			}
		})
	}
}
