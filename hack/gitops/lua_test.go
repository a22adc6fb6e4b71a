package gitops_test

import (
	"context"
	"fmt"
	"time"

	lua "github.com/yuin/gopher-lua"
)

// libraries are what a script may use.
type libraries string

const (
	// closed: package, base, table, and an os of time and date that has to be required. Actions always run so, and a
	// health script of argocd-cm unless useOpenLibs says otherwise.
	closed libraries = "closed"
	// open: all that Lua has. A health script that is built into Argo CD runs so.
	open libraries = "open"
)

// runLua runs a script as Argo CD does, with the object as obj and a second at most, and returns what it returns.
func runLua(script string, with libraries, object map[string]any) (any, error) {
	l := lua.NewState(lua.Options{SkipOpenLibs: with == closed})
	defer l.Close()
	for _, library := range []struct {
		name string
		open lua.LGFunction
	}{{lua.LoadLibName, lua.OpenPackage}, {lua.BaseLibName, lua.OpenBase}, {lua.TabLibName, lua.OpenTable}} {
		l.Push(l.NewFunction(library.open))
		l.Push(lua.LString(library.name))
		l.Call(1, 0)
	}
	l.PreloadModule(lua.OsLibName, clockOnly)
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	l.SetContext(ctx)
	l.SetGlobal("obj", toLua(l, object))
	if err := l.DoString(script); err != nil {
		return nil, err
	}
	return fromLua(l.Get(-1))
}

// clockOnly is the library os with nothing but time and date.
func clockOnly(l *lua.LState) int {
	whole := lua.NewState()
	defer whole.Close()
	all, ok := whole.GetGlobal(lua.OsLibName).(*lua.LTable)
	if !ok {
		l.RaiseError("there is no library os")
		return 0
	}
	part := l.NewTable()
	for _, name := range []string{"time", "date"} {
		if f, ok := all.RawGetString(name).(*lua.LFunction); ok {
			part.RawSetString(name, l.NewFunction(f.GFunction))
		}
	}
	l.Push(part)
	return 1
}

func toLua(l *lua.LState, value any) lua.LValue {
	switch value := value.(type) {
	case bool:
		return lua.LBool(value)
	case string:
		return lua.LString(value)
	case int64:
		return lua.LNumber(value)
	case float64:
		return lua.LNumber(value)
	case []any:
		list := l.NewTable()
		for _, one := range value {
			list.Append(toLua(l, one))
		}
		return list
	case map[string]any:
		fields := l.NewTable()
		for name, one := range value {
			fields.RawSetString(name, toLua(l, one))
		}
		return fields
	}
	return lua.LNil // null, which a table cannot hold
}

// fromLua cannot tell an empty list from an empty map, as Argo CD cannot, and takes it for a list.
func fromLua(value lua.LValue) (any, error) {
	switch value := value.(type) {
	case lua.LBool:
		return bool(value), nil
	case lua.LString:
		return string(value), nil
	case lua.LNumber:
		return float64(value), nil
	case *lua.LTable:
		if key, _ := value.Next(lua.LNil); key.Type() == lua.LTString {
			return fieldsFromLua(value)
		}
		return listFromLua(value)
	}
	return nil, fmt.Errorf("a script returned a %s", value.Type())
}

func listFromLua(table *lua.LTable) (any, error) {
	list := []any{}
	for i := 1; i <= table.Len(); i++ {
		one, err := fromLua(table.RawGetInt(i))
		if err != nil {
			return nil, err
		}
		list = append(list, one)
	}
	return list, nil
}

func fieldsFromLua(table *lua.LTable) (any, error) {
	fields := map[string]any{}
	for key, value := table.Next(lua.LNil); key != lua.LNil; key, value = table.Next(key) {
		name, ok := key.(lua.LString)
		if !ok {
			return nil, fmt.Errorf("a table has the keys %q and %v", fields, key)
		}
		one, err := fromLua(value)
		if err != nil {
			return nil, err
		}
		fields[string(name)] = one
	}
	return fields, nil
}

// restoreEmpty makes what was an empty map one again, as Argo CD does.
func restoreEmpty(before, after any) any {
	switch after := after.(type) {
	case map[string]any:
		was, ok := before.(map[string]any)
		if !ok {
			return after
		}
		for name, value := range after {
			after[name] = restoreEmpty(was[name], value)
		}
	case []any:
		switch before := before.(type) {
		case map[string]any:
			if len(after) == 0 {
				return before
			}
		case []any:
			for i := range min(len(after), len(before)) {
				after[i] = restoreEmpty(before[i], after[i])
			}
		}
	}
	return after
}
