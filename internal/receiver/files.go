package receiver

import (
	"bytes"
	"crypto/subtle"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
)

// secretDirectory is a mounted signing Secret.
type secretDirectory struct{ path string }

// read gives the current and the previous secret, which may be empty.
func (d *secretDirectory) read() (current, previous string, err error) {
	for range 2 {
		current, previous, err = d.readOnce()
		if err == nil {
			break
		}
		// The directory that ..data pointed to may have gone meanwhile: once more.
	}
	return current, previous, err
}

func (d *secretDirectory) readOnce() (current, previous string, err error) {
	// Kubernetes swaps the link ..data. Both files must come from the same side of a swap.
	directory, err := filepath.EvalSymlinks(filepath.Join(d.path, "..data"))
	if errors.Is(err, fs.ErrNotExist) {
		directory, err = d.path, nil
	}
	if err != nil {
		return "", "", err
	}
	if current, err = readValue(filepath.Join(directory, "secret")); err != nil {
		return "", "", err
	}
	previous, err = readValue(filepath.Join(directory, "previousSecret"))
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return current, previous, err
}

// readValue reads a file without the one newline that an editor may have put at its end.
func readValue(path string) (string, error) {
	value, err := os.ReadFile(path)
	return string(bytes.TrimSuffix(value, []byte("\n"))), err
}

// carriesRequiredHeaders compares in constant time; a file that cannot be read fits nothing.
func (r *Receiver) carriesRequiredHeaders(header http.Header) bool {
	all := true
	for name, path := range r.requiredHeaders {
		wanted, err := readValue(path)
		given := header.Get(name)
		if err != nil || wanted == "" || subtle.ConstantTimeCompare([]byte(given), []byte(wanted)) != 1 {
			all = false
		}
	}
	return all
}
