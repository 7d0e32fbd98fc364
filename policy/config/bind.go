package config

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"callmark/policy"
)

// The TOML library can fill a struct too, but stops at the first value of a
// wrong type, takes keys in any case, and takes numbers for texts here and
// there. So it only makes a tree, and here the tree fills the struct.

// bind puts the values of a document into c.
func (r *reading) bind(c *Config, tree map[string]any) {
	r.bindTable(nil, reflect.ValueOf(c).Elem(), tree)
}

// bindTable puts a table into a struct, or into an array by index from 1.
func (r *reading) bindTable(path []string, v reflect.Value, table map[string]any) {
	fields := fieldsOf(v)
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.name
	}
	for _, name := range slices.Sorted(maps.Keys(table)) {
		key := append(slices.Clip(path), name)
		i := slices.Index(names, name)
		if i < 0 {
			r.spoil(joinKey(key), "%s", unknown(path, name, names))
			continue
		}
		r.bindValue(key, fields[i].value, table[name])
	}
}

var (
	secretType   = reflect.TypeFor[policy.Secret]()
	durationType = reflect.TypeFor[time.Duration]()
)

// bindValue puts a value into a field, or says that it cannot.
func (r *reading) bindValue(path []string, v reflect.Value, value any) {
	key := joinKey(path)
	if isTable(v) {
		table, ok := value.(map[string]any)
		if !ok {
			r.spoil(key, "it is %s: write it as a table, which begins with [%s]", kind(value), key)
			return
		}
		r.bindTable(path, v, table)
		return
	}
	switch v.Type() {
	case keyListType:
		r.bindKeys(key, v, value)
		return
	case secretType:
		s, ok := value.(string)
		if !ok {
			r.spoil(key, "it is %s: write a text between 'single quotes'", kind(value))
			return
		}
		v.Set(reflect.ValueOf(policy.NewSecret(s)))
		return
	case durationType:
		read := readTime
		if key == "marking.duration" {
			read = readDuration
		}
		d, problem := read(value)
		if problem != "" {
			r.spoil(key, "%s", problem)
			return
		}
		v.SetInt(int64(d))
		return
	}
	switch v.Kind() {
	case reflect.String:
		s, ok := value.(string)
		if !ok {
			like := ""
			if v.String() != "" {
				like = ", like " + strconv.Quote(v.String())
			}
			r.spoil(key, `it is %s: write a text between "quotes"%s`, kind(value), like)
			return
		}
		v.SetString(s)
	case reflect.Bool:
		b, ok := value.(bool)
		if !ok {
			r.spoil(key, "it is %s: write true or false, without quotes", kind(value))
			return
		}
		v.SetBool(b)
	case reflect.Int:
		n, ok := value.(int64)
		if !ok || v.OverflowInt(n) {
			r.spoil(key, "it is %s: write a whole number without quotes, like %d", kind(value), v.Int())
			return
		}
		v.SetInt(n)
	case reflect.Float64:
		switch n := value.(type) {
		case int64:
			v.SetFloat(float64(n))
		case float64:
			v.SetFloat(n)
		default:
			r.spoil(key, "it is %s: write a number without quotes, like %v", kind(value), v.Float())
		}
	case reflect.Slice:
		r.bindList(key, v, value)
	default:
		panic("config: a field of type " + v.Type().String())
	}
}

// bindList puts a list of texts into a field. An element of another type leaves
// an empty text, so that those after it keep their place.
func (r *reading) bindList(key string, v reflect.Value, value any) {
	list, ok := value.([]any)
	if tables, no := value.([]map[string]any); no && len(tables) == 0 {
		list, ok = nil, true
	}
	if !ok {
		r.spoil(key, `it is %s: write a list of texts, like ["a.example.com", "b.example.com"]`, kind(value))
		return
	}
	texts := make([]string, len(list))
	for i, e := range list {
		s, ok := e.(string)
		if !ok {
			r.spoil(element(key, i+1), `it is %s: write a text between "quotes"`, kind(e))
		}
		texts[i] = s
	}
	if len(texts) == 0 {
		texts = nil // as Default has it
	}
	v.Set(reflect.ValueOf(texts))
}

// The least and longest time that a marking may be shown. A shorter one would
// be renewed so often that it floods the servers.
const (
	minDuration = 10 * time.Second
	maxDuration = 24 * time.Hour
)

// readDuration reads marking.duration.
func readDuration(value any) (time.Duration, string) {
	const remedy = `write "permanent", or a time with its unit between quotes, like "90s" or "5m"`
	s, ok := value.(string)
	if !ok {
		return 0, fmt.Sprintf("it is %s: %s", kind(value), remedy)
	}
	if s == "permanent" {
		return 0, ""
	}
	d, err := time.ParseDuration(s)
	switch {
	case err != nil:
		return 0, quote(s) + " is no time: " + remedy
	case d < minDuration || d > maxDuration:
		return 0, quote(s) + ` is out of range: write "permanent", or a time from "10s" to "24h"`
	case d%time.Second != 0:
		return 0, quote(s) + " is not in whole seconds, and the servers take no parts of one: " + remedy
	}
	return d, ""
}

// readTime reads a time that is no marking's duration; its range is looked at
// later.
func readTime(value any) (time.Duration, string) {
	const remedy = `write a time with its unit between quotes, like "5s" or "2m"`
	s, ok := value.(string)
	if !ok {
		return 0, fmt.Sprintf("it is %s: %s", kind(value), remedy)
	}
	d, err := time.ParseDuration(s)
	if err != nil {
		return 0, quote(s) + " is no time: " + remedy
	}
	return d, ""
}

// field is a key of a table and where its value goes.
type field struct {
	name  string
	value reflect.Value
}

// fieldsOf are the keys that a table may have.
func fieldsOf(v reflect.Value) (fields []field) {
	if v.Kind() == reflect.Array {
		for i := 1; i < v.Len(); i++ {
			fields = append(fields, field{strconv.Itoa(i), v.Index(i)})
		}
		return fields
	}
	for i := range v.NumField() {
		fields = append(fields, field{v.Type().Field(i).Tag.Get("toml"), v.Field(i)})
	}
	return fields
}

// isTable reports whether a table of the document goes here.
func isTable(v reflect.Value) bool {
	return v.Kind() == reflect.Array || v.Kind() == reflect.Struct && v.Type() != secretType
}

// eachKey visits every key that a document may have, tables left out.
func eachKey(path []string, v reflect.Value, visit func(path []string, v reflect.Value)) {
	for _, f := range fieldsOf(v) {
		key := append(slices.Clip(path), f.name)
		if isTable(f.value) {
			eachKey(key, f.value, visit)
		} else {
			visit(key, f.value)
		}
	}
}

// unknown says what to do about a key that no table like this has.
func unknown(table []string, name string, names []string) string {
	what := "this key is not known"
	if len(table) == 0 {
		what = "this key or table is not known"
	}
	if like := nearest(name, names); like != "" {
		return fmt.Sprintf("%s: did you mean %s?", what, like)
	}
	// Most likely a header is missing, or the key stands below the wrong one.
	var homes []string
	eachKey(nil, reflect.ValueOf(new(Config)).Elem(), func(path []string, _ reflect.Value) {
		if path[len(path)-1] == name {
			homes = append(homes, "["+joinKey(path[:len(path)-1])+"]")
		}
	})
	if homes != nil {
		return fmt.Sprintf("%s here: move it below %s", what, strings.Join(homes, " or "))
	}
	return fmt.Sprintf("%s: remove it, or write one of %s", what, strings.Join(names, ", "))
}

// kind names the type of a value as people do. The value itself stays out of
// it: it may be a password that lacks its quotes.
func kind(value any) string {
	switch value.(type) {
	case string:
		return "a text"
	case int64:
		return "a whole number"
	case float64:
		return "a number with a point"
	case bool:
		return "true or false"
	case time.Time:
		return "a date or time"
	case map[string]any:
		return "a table"
	case []map[string]any:
		return "a list of tables"
	case []any:
		return "a list"
	}
	return "something else"
}
