// Package config turns the configuration document (TOML) into values and finds
// everything that is wrong with it at once: each Problem has the line, the key,
// what is wrong, and what to do. Problems refuse the start, but for warnings,
// which are printed.
//
// Parse is pure: bytes in, values and problems out. What lies outside the
// document (the environment, files that it names, the modes of files) comes
// through the functions of Outside, and only Load reads the real ones.
//
// The document is strict: an unknown key is refused, since it may be a
// misspelt one that would make a marking more trusted; so is a value of the
// wrong type. A key that is missing has the value of Default. Values that could
// be secret are never part of a problem's text.
//
// The password comes from the environment variable CALLMARK_CMS_PASSWORD, else
// from password_file, else from password. The last two together are refused.
//
// Relative paths (ca_file, password_file, state.file, log.file, refused_dir) are
// relative to the working directory, not to the configuration's.
package config
