package config
import ("testing";"fmt";"strings";"time")
func TestTmp(t *testing.T){
 for name, d := range map[string]string{
  "nest": "a="+strings.Repeat("[",200000),
  "nestclosed": "a="+strings.Repeat("[",100000)+strings.Repeat("]",100000),
  "inline": "a="+strings.Repeat("{a=",60000),
  "inlineclosed": "a="+strings.Repeat("{a=",6000)+"1"+strings.Repeat("}",6000),
  "dots": strings.Repeat("a.",100000)+"a=1",
  "dots3k": strings.Repeat("a.",3000)+"a=1",
  "many": func() string { var b strings.Builder; for i:=range 20000 { fmt.Fprintf(&b,"k%d=1\n",i)}; return b.String()}(),
  "tables": func() string { var b strings.Builder; for i:=range 12000 { fmt.Fprintf(&b,"[t%d.a.b]\n",i)}; return b.String()}(),
  "domains": func() string { var b strings.Builder; b.WriteString(good+"policy.internal_domains=["); for i:=range 10000 { fmt.Fprintf(&b,"\"d%d.example\",\n",i)}; return b.String()+"]"}(),
  "badservers": func() string { var b strings.Builder; b.WriteString("cms.servers=["); for i:=range 12000 { fmt.Fprintf(&b,"\"x/%d\",\n",i)}; return b.String()+"]"}(),
 } {
  t0:=time.Now(); _, ps := Parse("f", []byte(d), Outside{}); el:=time.Since(t0)
  t0=time.Now(); findLines(d)
  fmt.Println(name, len(d), el, time.Since(t0), len(ps)); if len(ps)>0 {fmt.Println("   ", ps[0])}
 }
}
