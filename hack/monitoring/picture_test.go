package monitoring_test

import (
	"flag"
	"fmt"
	"html"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "draw the picture of the dashboard anew")

// The picture is as wide as Grafana's grid, whose cells are a little higher than wide.
const (
	cellWidth, cellHeight = 50, 30
	pictureWidth          = 24 * cellWidth
	margin                = 10
)

// colours tell series apart, on a dark ground as well as on a light one.
var colours = []string{
	"#5794f2", "#73bf69", "#ff9830", "#f2495c", "#b877d9", "#8ab8ff", "#96d98d", "#ffcb7d", "#ff7383", "#ca95e5",
}

// draw draws the panels of the dashboard with what Prometheus knows of a time, like Grafana.
func draw(t *testing.T, p *monitor, from, to time.Time) {
	t.Helper()
	var b strings.Builder
	height := 0
	for _, panel := range readDashboard(t).Panels {
		height = max(height, (panel.GridPos.Y+panel.GridPos.H)*cellHeight)
	}
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="12">`,
		pictureWidth, height)
	fmt.Fprintf(&b, "\n<rect width=\"%d\" height=\"%d\" fill=\"#111217\"/>\n", pictureWidth, height)
	for _, panel := range readDashboard(t).Panels {
		frame := picture{
			b: &b, x: panel.GridPos.X * cellWidth, y: panel.GridPos.Y * cellHeight,
			w: panel.GridPos.W * cellWidth, h: panel.GridPos.H * cellHeight, unit: panel.FieldConfig.Defaults.Unit,
		}
		frame.panel(p, panel, from, to)
	}
	b.WriteString("</svg>\n")
	write(t, root("config", "grafana", "dashboard.svg"), []byte(b.String()))
}

// picture is the place of one panel.
type picture struct {
	b          *strings.Builder
	x, y, w, h int
	unit       string
}

func (f picture) text(x, y int, style, text string) {
	fmt.Fprintf(f.b, "<text x=\"%d\" y=\"%d\" fill=\"#ccccdc\" %s>%s</text>\n", x, y, style, html.EscapeString(text))
}

func (f picture) panel(p *monitor, panel panel, from, to time.Time) {
	if panel.Type == "row" {
		f.text(f.x+margin, f.y+20, `font-size="15" font-weight="bold"`, panel.Title)
		return
	}
	fmt.Fprintf(f.b, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"3\" fill=\"#181b1f\" stroke=\"#2c3235\"/>\n",
		f.x+3, f.y+3, f.w-6, f.h-6)
	f.text(f.x+margin, f.y+20, `font-weight="bold"`, panel.Title)
	switch panel.Type {
	case "stat":
		found := p.query(asGrafana.Replace(panel.Targets[0].Expr))
		if len(found) > 0 {
			value := number(math.Round(found[0].Value.value()), f.unit)
			f.text(f.x+f.w/2, f.y+f.h/2+25, `font-size="40" text-anchor="middle" style="fill:#73bf69"`, value)
		}
	case "table":
		f.table(p.query(asGrafana.Replace(panel.Targets[0].Expr)))
	default:
		f.lines(p, panel, from, to)
	}
}

// table lists what a query gives, the greatest first.
func (f picture) table(found []series) {
	slices.SortFunc(found, func(a, b series) int { return int(math.Copysign(1, b.Value.value()-a.Value.value())) })
	for i, one := range found[:min(len(found), 8)] {
		y := f.y + 48 + i*22
		f.text(f.x+margin, y, "", one.Metric["namespace"]+"/"+one.Metric["name"])
		f.text(f.x+f.w-margin, y, `text-anchor="end"`, number(one.Value.value(), f.unit))
	}
}

// curve is a series with the words below the panel.
type curve struct {
	legend string
	values []sample
}

// lines draws series over time, with a scale and a legend.
func (f picture) lines(p *monitor, panel panel, from, to time.Time) {
	var curves []curve
	most := 0.0
	for _, target := range panel.Targets {
		for _, one := range p.over(asPicture.Replace(target.Expr), from, to, time.Second) {
			curves = append(curves, curve{legend(target.LegendFormat, one.Metric), one.Values})
			for _, v := range one.Values {
				if value := v.value(); !math.IsNaN(value) {
					most = max(most, value)
				}
			}
		}
	}
	slices.SortStableFunc(curves, func(a, b curve) int { return strings.Compare(a.legend, b.legend) })
	if most == 0 {
		most = 1
	}
	left, right, top, bottom := f.x+55, f.x+f.w-margin, f.y+32, f.y+f.h-42
	for i := range 3 {
		y := bottom - i*(bottom-top)/2
		fmt.Fprintf(f.b, "<line x1=\"%d\" x2=\"%d\" y1=\"%d\" y2=\"%d\" stroke=\"#2c3235\"/>\n", left, right, y, y)
		f.text(left-6, y+4, `font-size="10" text-anchor="end"`, number(most*float64(i)/2, f.unit))
	}
	begin, width := float64(from.UnixMilli())/1000, to.Sub(from).Seconds()
	x := f.x + margin
	for i, one := range curves {
		colour := colours[i%len(colours)]
		var points []string
		for _, v := range one.values {
			if value := v.value(); !math.IsNaN(value) {
				points = append(points, fmt.Sprintf("%.1f,%.1f", float64(left)+(v.at()-begin)/width*float64(right-left),
					float64(bottom)-value/most*float64(bottom-top)))
			}
		}
		fmt.Fprintf(f.b, "<polyline points=\"%s\" fill=\"none\" stroke=\"%s\" stroke-width=\"1.5\"/>\n",
			strings.Join(points, " "), colour)
		if length := len(one.legend)*6 + 18; x+length < f.x+f.w {
			fmt.Fprintf(f.b, "<rect x=\"%d\" y=\"%d\" width=\"8\" height=\"3\" fill=\"%s\"/>\n", x, f.y+f.h-20, colour)
			f.text(x+11, f.y+f.h-15, `font-size="10"`, one.legend)
			x += length
		}
	}
}

// asPicture is for two minutes of a test instead of hours: what the dashboard asks about an hour is asked about less.
var asPicture = strings.NewReplacer("$__rate_interval", "10s", "$__range", "2m", "[1h]", "[30s]", "$job", ".*",
	"$namespace", ".*")

var variable = regexp.MustCompile(`\{\{(\w+)\}\}`)

// legend is what Grafana writes for a series.
func legend(format string, labels map[string]string) string {
	if format == "" {
		return strings.Join(slices.Sorted(maps.Values(labels)), " ")
	}
	return variable.ReplaceAllStringFunc(format, func(name string) string { return labels[strings.Trim(name, "{}")] })
}

// number writes a value in a unit of Grafana, short.
func number(value float64, unit string) string {
	digits := func(v float64) string { return strconv.FormatFloat(v, 'g', 3, 64) }
	switch {
	case unit == "bytes":
		return digits(value/(1<<20)) + " MiB"
	case unit == "percentunit":
		return digits(value*100) + " %"
	case unit == "s" && value != 0 && value < 1:
		return digits(value*1000) + " ms"
	case unit == "s":
		return digits(value) + " s"
	case unit == "reqps", unit == "ops":
		return digits(value) + "/s"
	}
	return strconv.FormatFloat(math.Round(value*100)/100, 'f', -1, 64)
}
