package cdr

import (
	"encoding/xml"
	"testing"
)

func BenchmarkDecodeLegStart(b *testing.B) { benchmarkDecode(b, "sip-leg-start.xml", &Decoder{}) }

// BenchmarkDecodeBrief is the same with what callmark uses alone.
func BenchmarkDecodeBrief(b *testing.B) {
	benchmarkDecode(b, "sip-leg-start.xml", &Decoder{Brief: true})
}

func BenchmarkDecodeLegEnd(b *testing.B) { benchmarkDecode(b, "last-leg-end.xml", &Decoder{}) }

func benchmarkDecode(b *testing.B, file string, d *Decoder) {
	body := mustRead(b, "testdata/usual/"+file)
	var doc Document
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if err := d.Decode(body, &doc); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkDecodeLegStartEncodingXML is what the same document costs with the
// standard library, without our checks and rules.
func BenchmarkDecodeLegStartEncodingXML(b *testing.B) {
	type document struct {
		Session    string `xml:"session,attr"`
		CallBridge string `xml:"callBridge,attr"`
		Records    []struct {
			Type            string `xml:"type,attr"`
			Time            string `xml:"time,attr"`
			RecordIndex     int64  `xml:"recordIndex,attr"`
			CorrelatorIndex int64  `xml:"correlatorIndex,attr"`
			Leg             struct {
				ID           string `xml:"id,attr"`
				DisplayName  string `xml:"displayName"`
				RemoteParty  string `xml:"remoteParty"`
				LocalAddress string `xml:"localAddress"`
				Type         string `xml:"type"`
				SubType      string `xml:"subType"`
				Direction    string `xml:"direction"`
				Call         string `xml:"call"`
				GroupID      string `xml:"groupId"`
				SipCallID    string `xml:"sipCallId"`
			} `xml:"callLeg"`
		} `xml:"record"`
	}
	body := mustRead(b, "testdata/usual/sip-leg-start.xml")
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		var doc document
		if err := xml.Unmarshal(body, &doc); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAppendLegStart(b *testing.B) {
	doc, err := decodeNew(mustRead(b, "testdata/usual/sip-leg-start.xml"))
	if err != nil {
		b.Fatal(err)
	}
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		buf = Append(buf[:0], doc)
	}
}
