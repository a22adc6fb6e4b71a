package monitoring_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// dashboard is what is looked at of Grafana's JSON.
type dashboard struct {
	UID        string `json:"uid"`
	Templating struct {
		List []struct {
			Name       string          `json:"name"`
			Type       string          `json:"type"`
			Definition string          `json:"definition"`
			Query      json.RawMessage `json:"query"`
			Datasource source          `json:"datasource"`
		} `json:"list"`
	} `json:"templating"`
	Panels []panel `json:"panels"`
}

type panel struct {
	ID          int     `json:"id"`
	Type        string  `json:"type"`
	Title       string  `json:"title"`
	Description string  `json:"description"`
	Datasource  source  `json:"datasource"`
	GridPos     gridPos `json:"gridPos"`
	FieldConfig struct {
		Defaults struct {
			Unit string `json:"unit"`
		} `json:"defaults"`
	} `json:"fieldConfig"`
	Targets []struct {
		Expr         string `json:"expr"`
		LegendFormat string `json:"legendFormat"`
		RefID        string `json:"refId"`
		Datasource   source `json:"datasource"`
	} `json:"targets"`
}

type source struct {
	UID string `json:"uid"`
}

// gridPos is where a panel is, on a grid that is 24 wide.
type gridPos struct {
	X int `json:"x"`
	Y int `json:"y"`
	W int `json:"w"`
	H int `json:"h"`
}

func (p gridPos) overlaps(o gridPos) bool {
	return p.X < o.X+o.W && o.X < p.X+p.W && p.Y < o.Y+o.H && o.Y < p.Y+p.H
}

func readDashboard(t *testing.T) dashboard {
	t.Helper()
	var d dashboard
	if err := json.Unmarshal(read(t, root("config", "grafana", "chatt2-webhook-operator.json")), &d); err != nil {
		t.Fatal(err)
	}
	if len(d.Panels) == 0 {
		t.Fatal("there are no panels")
	}
	return d
}

// asGrafana puts values for variables, as Grafana does.
var asGrafana = strings.NewReplacer("$__rate_interval", "5m", "$__range", "6h", "$job", ".*", "$namespace", ".*")

func TestPanelsNameWhatThereIs(t *testing.T) {
	known := knownMetrics(t)
	for _, p := range readDashboard(t).Panels {
		for _, target := range p.Targets {
			t.Run(p.Title+" "+target.RefID, func(t *testing.T) {
				expression := asGrafana.Replace(target.Expr)
				if strings.Contains(expression, "$") {
					t.Errorf("a variable is not known in %s", expression)
				}
				checkExpression(t, known, expression)
			})
		}
	}
}

func TestVariablesNameWhatThereIs(t *testing.T) {
	known := knownMetrics(t)
	for _, v := range readDashboard(t).Templating.List {
		if v.Type != "query" {
			continue
		}
		inner, ok := strings.CutPrefix(strings.TrimSuffix(v.Definition, ")"), "label_values(")
		metric, label, found := strings.Cut(inner, ", ")
		if !ok || !found {
			t.Errorf("%s: cannot read %s", v.Name, v.Definition)
			continue
		}
		checkLabel(t, labelsOf(known, metric), label, v.Definition)
		// Grafana asks the one and shows the other.
		if !strings.Contains(string(v.Query), `"`+v.Definition+`"`) {
			t.Errorf("%s asks %s and shows %s", v.Name, v.Query, v.Definition)
		}
		if v.Datasource.UID != chosen {
			t.Errorf("%s does not ask %s", v.Name, chosen)
		}
	}
}

func TestThePanelsReadWell(t *testing.T) {
	panels := readDashboard(t).Panels
	ids := map[int]bool{}
	for i, p := range panels {
		name := fmt.Sprintf("panel %d, %q", p.ID, p.Title)
		if ids[p.ID] {
			t.Errorf("%s: the id is there twice", name)
		}
		ids[p.ID] = true
		if p.GridPos.X+p.GridPos.W > 24 || p.GridPos.W == 0 || p.GridPos.H == 0 {
			t.Errorf("%s does not fit: %+v", name, p.GridPos)
		}
		for _, other := range panels[:i] {
			if p.GridPos.overlaps(other.GridPos) {
				t.Errorf("%s lies upon %q", name, other.Title)
			}
		}
		if p.Type == "row" {
			if !strings.HasSuffix(p.Title, "?") {
				t.Errorf("%s: a row asks what a person on call asks", name)
			}
			continue
		}
		if p.Description == "" || p.FieldConfig.Defaults.Unit == "" || len(p.Targets) == 0 {
			t.Errorf("%s lacks a description, a unit or a query", name)
		}
		checkSources(t, name, p)
	}
}

// chosen is the source of data that the user chose.
const chosen = "${datasource}"

// checkSources looks that a panel asks the source of data that the user chose.
func checkSources(t *testing.T, name string, p panel) {
	t.Helper()
	refs := map[string]bool{}
	for _, target := range p.Targets {
		if p.Datasource.UID != chosen || target.Datasource.UID != chosen {
			t.Errorf("%s does not ask %s", name, chosen)
		}
		if refs[target.RefID] {
			t.Errorf("%s has two queries %s", name, target.RefID)
		}
		refs[target.RefID] = true
	}
}
