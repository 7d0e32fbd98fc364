package simulator

// spaceNames are the meetings of the demo.
var spaceNames = []string{
	"Cabinet briefing", "Crisis room", "Budget review", "Press preparation", "Border working group",
	"Energy supply round", "Legal affairs", "Treaty negotiation", "Situation report", "Procurement board",
	"Digital strategy", "Harbour inspection", "Réunion des directeurs", "Haushaltsausschuss", "Public health call",
	"Audit committee", "Joint exercise planning", "Ambassadors' weekly", "Weather service handover", "予算会議",
	"Personnel matters", "Space programme", "Rail safety panel", "Counter-fraud task force",
}

// identity is a name and the user part of an address.
type identity struct{ name, user string }

// rooms are the secure endpoints: level 1.
var rooms = []identity{
	{"Cabinet Room", "cabinet"}, {"Room 4.12", "room-4-12"}, {"Room 4.14", "room-4-14"}, {"Bunker North", "bunker-north"},
	{"Minister's Office", "minister"}, {"State Secretary's Office", "secretary"}, {"Room 7.01 (glass)", "room-7-01"},
	{"Operations Centre", "opcentre"}, {"Embassy Room Oslo", "oslo"}, {"Embassy Room Tōkyō", "tokyo"},
}

// employees come from their desks: level 2.
var employees = []identity{
	{"Anna Lindqvist", "anna.lindqvist"}, {"Jürgen Weiß", "juergen.weiss"}, {"María Núñez", "maria.nunez"},
	{"Łukasz Żółty", "lukasz.zolty"}, {"Peter O'Brien", "peter.obrien"}, {"Zoë Ångström", "zoe.angstrom"},
	{"Françoise Lefèvre", "francoise.lefevre"}, {"田中 さくら", "sakura.tanaka"}, {"김민준", "minjun.kim"},
	{"Ioannis Παπαδόπουλος", "ioannis.p"}, {"Ольга Смирнова", "olga.smirnova"}, {"Tom & Jerry <IT>", "it-desk"},
	{"Henrik Berg", "henrik.berg"}, {"Siiri Mäkelä", "siiri.makela"}, {"Đặng Thị Hoa", "hoa.dang"},
}

// outsiders are external: level 3.
var outsiders = []identity{
	{"Mallory Finch", "mallory"}, {"王小明", "xiaoming.wang"}, {"أحمد الخطيب", "ahmad"}, {"שרה לוי", "sara.levi"},
	{"João Conceição", "joao"}, {"Priya Raman", "priya.raman"}, {"Sven Consulting", "sven"}, {"Eve Adler", "eve"},
	{"Dr. Beatrix Kovács", "beatrix"}, {"山本 太郎", "taro"}, {"Unknown caller", "unknown"}, {"Oğuz Şahin", "oguz"},
}
