/*
 * common/fmt/charset_list.h - single-byte character sets: how iconv(3) calls them, and their names in mail, in lower
 * case without punctuation. Their lower half is ASCII.
 */
#ifndef FMT_CHARSET_LIST_H
#define FMT_CHARSET_LIST_H

static const struct {
	const char	*iconv, *names;
} charset_list[] = {
	{ "WINDOWS-1252", "windows1252 cp1252 ms1252"
	    " iso88591 latin1 l1 isoir100 ibm819 cp819 isolatin1 88591"
	    " csisolatin1 ansi cswindows1252" },
	{ "ISO-8859-2", "iso88592 latin2 l2 isoir101 csisolatin2 88592" },
	{ "ISO-8859-3", "iso88593 latin3 l3 isoir109 csisolatin3" },
	{ "ISO-8859-4", "iso88594 latin4 l4 isoir110 csisolatin4" },
	{ "ISO-8859-5", "iso88595 cyrillic isoir144 csisolatincyrillic" },
	{ "ISO-8859-6", "iso88596 arabic isoir127 ecma114 asmo708 iso88596i"
	    " iso88596e csisolatinarabic" },
	{ "ISO-8859-7", "iso88597 greek greek8 isoir126 ecma118 elot928"
	    " csisolatingreek" },
	{ "ISO-8859-8", "iso88598 hebrew isoir138 iso88598i iso88598e logical"
	    " visual csisolatinhebrew" },
	{ "ISO-8859-9", "iso88599 latin5 l5 isoir148 csisolatin5" },
	{ "ISO-8859-10", "iso885910 latin6 l6 isoir157 csisolatin6" },
	{ "ISO-8859-11", "iso885911" },
	{ "ISO-8859-13", "iso885913 latin7 l7 isoir179" },
	{ "ISO-8859-14", "iso885914 latin8 l8 isoir199 isoceltic" },
	{ "ISO-8859-15", "iso885915 latin9 l9 isoir203 csiso885915" },
	{ "ISO-8859-16", "iso885916 latin10 l10 isoir226" },
	{ "WINDOWS-1250", "windows1250 cp1250 ms1250 msee mseasteurope"
	    " cswindows1250" },
	{ "WINDOWS-1251", "windows1251 cp1251 ms1251 mscyrl win1251 win"
	    " cswindows1251" },
	{ "WINDOWS-1253", "windows1253 cp1253 ms1253 msgreek" },
	{ "WINDOWS-1254", "windows1254 cp1254 ms1254 msturk" },
	{ "WINDOWS-1255", "windows1255 cp1255 ms1255 mshebr" },
	{ "WINDOWS-1256", "windows1256 cp1256 ms1256 msarab" },
	{ "WINDOWS-1257", "windows1257 cp1257 ms1257 winbaltrim" },
	{ "WINDOWS-1258", "windows1258 cp1258 ms1258" },
	{ "CP874", "windows874 cp874 dos874 ibm874" },
	{ "TIS-620", "tis620 tis62025291 isoir166" },
	{ "KOI8-R", "koi8r koi8 koi cskoi8r" },
	{ "KOI8-U", "koi8u koi8ru cskoi8u" },
	{ "KOI8-T", "koi8t" },
	{ "CP437", "cp437 ibm437 437 cspc8codepage437" },
	{ "CP737", "cp737" },
	{ "CP775", "cp775 ibm775 cspc775baltic" },
	{ "CP850", "cp850 ibm850 850 cspc850multilingual" },
	{ "CP852", "cp852 ibm852 852 cspcp852" },
	{ "CP855", "cp855 ibm855 855" },
	{ "CP857", "cp857 ibm857 857" },
	{ "CP860", "cp860 ibm860 860" },
	{ "CP861", "cp861 ibm861 861 cpis" },
	{ "CP862", "cp862 ibm862 862 cspc862latinhebrew" },
	{ "CP863", "cp863 ibm863 863" },
	{ "CP865", "cp865 ibm865 865" },
	{ "CP866", "cp866 ibm866 866 csibm866" },
	{ "CP869", "cp869 ibm869 869" },
	{ "MACINTOSH", "macintosh mac macroman csmacintosh" },
	{ "MAC-CENTRALEUROPE", "maccentraleurope maccentraleuroperoman macce" },
	{ "MAC-CYRILLIC", "maccyrillic macukrainian" },
	{ "HP-ROMAN8", "hproman8 roman8 r8 cshproman8" },
	{ "VISCII", "viscii csviscii" },
	{ "ARMSCII-8", "armscii8" },
	{ "GEORGIAN-PS", "georgianps" },
	{ "PT154", "pt154 ptcp154 cp154 csptcp154" },
};

#endif
