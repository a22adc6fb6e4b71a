package hub_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"

	"github.com/chatt2me/webhook-operator/internal/hub"
)

// vast is how long a hostile answer is, in bytes.
const vast = 100 * mebi

// most is what one call may take from memory in all, in bytes: a page of the longest length, some eight times over as
// the room for it grows, and what is made of it.
const most = 96 * mebi

// flood is an answer that would take up all memory if it were believed: a beginning, and then a block over and over.
type flood struct {
	header       map[string]string
	begin, block []byte
	size         int
}

func (f flood) serve(w http.ResponseWriter, status int) {
	for name, value := range f.header {
		w.Header().Set(name, value)
	}
	w.WriteHeader(status)
	_, err := w.Write(f.begin)
	for left := f.size; left > 0 && len(f.block) > 0 && err == nil; left -= len(f.block) {
		_, err = w.Write(f.block)
	}
}

// of is a block of a text.
func of(text string) []byte { return bytes.Repeat([]byte(text), 32<<10/len(text)) }

// bomb is white space, a thousand times as long unpacked.
func bomb(t *testing.T) []byte {
	t.Helper()
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	for range vast / len(of(" ")) {
		if _, err := w.Write(of(" ")); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return packed.Bytes()
}

func floods(t *testing.T) map[string]flood {
	deep := append(bytes.Repeat([]byte("["), mebi/4), bytes.Repeat([]byte("]"), mebi/4)...)
	return map[string]flood{
		"white space":            {block: of(" "), size: vast},
		"one text":               {begin: []byte(`{"message":"`), block: of("a"), size: vast},
		"a gzip bomb":            {header: map[string]string{"Content-Encoding": "gzip"}, begin: bomb(t)},
		"arrays in arrays":       {block: of("["), size: vast},
		"a whole deep array":     {begin: deep},
		"objects in objects":     {block: of(`{"data":`), size: vast},
		"a length that is a lie": {header: map[string]string{"Content-Length": "107374182400"}, begin: []byte("[")},
		"a vast header":          {header: map[string]string{"X-Long": strings.Repeat("a", 2*mebi)}},
	}
}

// taken is how much memory a call takes in all, in bytes, what is let go meanwhile included.
func taken(call func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	call()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

func TestAn_answer_made_to_take_up_all_memory_takes_little(t *testing.T) {
	for name, answer := range floods(t) {
		for _, status := range []int{http.StatusOK, http.StatusInternalServerError} {
			// A Hub without the contract's middleware: what that keeps of an answer would count, too.
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				answer.serve(w, status)
			}))
			client := newClient(t, server.URL)
			for _, operation := range []string{"createWebhook", "listWebhooks", "deleteWebhook"} {
				var err error
				if n := taken(func() { err = verbs(client)[operation](t.Context()) }); n > most {
					t.Errorf("%s, %s answered %d: it takes %d MiB", name, operation, status, n/mebi)
				}
				if operation == "deleteWebhook" && err == nil {
					continue // of an answer to a deletion only the status is read
				}
				if got := failure(t, err); got.Outcome != hub.Unknown || len(got.Error()) > 512 {
					t.Errorf("%s, %s answered %d: %.600s", name, operation, status, got.Error())
				}
			}
			server.CloseClientConnections()
			server.Close()
		}
	}
}
