package connection

import "time"

const (
	// plateauTime and plateauCalls are for how long calls stay at or under the pace that the Hub granted last, before
	// they go beyond it: long enough that the pauses that follow cost little, and the calls that are refused are few.
	plateauTime, plateauMost = 23 * time.Second, 2 * time.Minute
	plateauCalls             = 60
	// underLimit is how far under that pace calls begin after the Hub asked to slow down, afterOutage when it was down
	// or refused the key: as a share of the pace.
	underLimit, afterOutage = 0.05, 0.9
	// slowest is the least pace, in calls a second.
	slowest = 0.1
)

// pace is how fast calls are made: as configured, or slower where the Hub has shown that it takes less. It does not
// say how much it takes, and so that is found out. Once asked to slow down, calls go on just under the pace that the
// Hub granted until then, come back to it, stay near it for a while, and then go beyond it ever faster, until the Hub
// asks again or they are as fast as configured: the curve of TCP CUBIC.
type pace struct {
	// most is what is configured, in calls a second.
	most float64
	// limit is what the Hub is thought to take, 0 while nothing is known of a limit.
	limit float64
	// depth is how far under limit the climb began, as a share of it, and climbSince when.
	depth      float64
	climbSince time.Time
	// granted is how many calls the Hub has taken since it last asked to slow down, at countSince.
	granted    int
	countSince time.Time
}

// at is the pace at a moment, in calls a second.
func (p *pace) at(now time.Time) float64 {
	if p.limit == 0 {
		return p.most
	}
	plateau := p.plateau()
	x := float64(max(now.Sub(p.climbSince), 0)-plateau) / float64(plateau)
	current := max(p.limit*(1+p.depth*x*x*x), slowest)
	if current >= p.most {
		p.limit = 0
		return p.most
	}
	return current
}

// took counts a call that the Hub has taken.
func (p *pace) took() { p.granted++ }

// plateau is for how long calls stay under limit.
func (p *pace) plateau() time.Duration {
	return min(max(plateauTime, time.Duration(plateauCalls/p.limit*float64(time.Second))), plateauMost)
}

// slowDown records that the Hub asked to make no call before a time to come. Between two such requests it takes as many
// calls as its limit allows, one more or less. It may have had nothing to take in between, so that the pace is halved
// at most.
func (p *pace) slowDown(now, until time.Time) {
	if now.Before(p.climbSince) || p.limit > 0 && p.granted == 0 {
		// Another answer to calls that were made together, or a pause that was too short: it says nothing of the pace.
		p.climbSince = latest(p.climbSince, until)
		return
	}
	asked := p.at(now)
	took := 0.
	if p.granted > 0 {
		took = float64(p.granted+1) / max(now.Sub(p.countSince), time.Millisecond).Seconds()
	}
	p.limit = max((asked+min(took, asked))/2, slowest)
	p.depth, p.climbSince = underLimit, until
	p.granted, p.countSince = 0, now
}

// comeBack starts again after an outage, slowly: a Hub that has just recovered is not hit by all waiting calls.
func (p *pace) comeBack(now time.Time) {
	if p.limit == 0 {
		p.limit = p.most // an outage says nothing of what the Hub takes
	}
	p.depth, p.climbSince = afterOutage, now
	p.granted, p.countSince = 0, now
}
