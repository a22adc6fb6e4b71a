//go:build !race

package campaign_test

// raceDetected: the race detector makes everything some ten times slower.
const raceDetected = false
