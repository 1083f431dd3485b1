// The places that geolocation records may name: continents, countries by ISO 3166-1, states of the US.
// https://docs.aws.amazon.com/Route53/latest/APIReference/API_ListGeoLocations.html
#include "service/route53/geo.h"

#include <array>

#include "base/text.h"

namespace reef::service::route53 {
namespace {

constexpr std::string_view kContinents = "AF=Africa|AN=Antarctica|AS=Asia|EU=Europe|NA=North America|OC=Oceania|SA=South America";

constexpr std::string_view kCountries =
    "AD=Andorra|AE=United Arab Emirates|AF=Afghanistan|AG=Antigua and Barbuda|AI=Anguilla|AL=Albania|AM=Armenia|AO=Angola|AQ=Antarctica|AR=Argentina|"
    "AS=American Samoa|AT=Austria|AU=Australia|AW=Aruba|AX=Åland Islands|AZ=Azerbaijan|BA=Bosnia and Herzegovina|BB=Barbados|BD=Bangladesh|BE=Belgium|"
    "BF=Burkina Faso|BG=Bulgaria|BH=Bahrain|BI=Burundi|BJ=Benin|BL=Saint Barthélemy|BM=Bermuda|BN=Brunei|BO=Bolivia|BQ=Bonaire|BR=Brazil|BS=Bahamas|"
    "BT=Bhutan|BW=Botswana|BY=Belarus|BZ=Belize|CA=Canada|CC=Cocos [Keeling] Islands|CD=Congo|CF=Central African Republic|CG=Republic of the Congo|"
    "CH=Switzerland|CI=Ivory Coast|CK=Cook Islands|CL=Chile|CM=Cameroon|CN=China|CO=Colombia|CR=Costa Rica|CU=Cuba|CV=Cape Verde|CW=Curaçao|CY=Cyprus|"
    "CZ=Czech Republic|DE=Germany|DJ=Djibouti|DK=Denmark|DM=Dominica|DO=Dominican Republic|DZ=Algeria|EC=Ecuador|EE=Estonia|EG=Egypt|ER=Eritrea|ES=Spain|"
    "ET=Ethiopia|FI=Finland|FJ=Fiji|FK=Falkland Islands|FM=Federated States of Micronesia|FO=Faroe Islands|FR=France|GA=Gabon|GB=United Kingdom|GD=Grenada|"
    "GE=Georgia|GF=French Guiana|GG=Guernsey|GH=Ghana|GI=Gibraltar|GL=Greenland|GM=Gambia|GN=Guinea|GP=Guadeloupe|GQ=Equatorial Guinea|GR=Greece|"
    "GS=South Georgia and the South Sandwich Islands|GT=Guatemala|GU=Guam|GW=Guinea-Bissau|GY=Guyana|HK=Hong Kong|HN=Honduras|HR=Croatia|HT=Haiti|HU=Hungary|"
    "ID=Indonesia|IE=Ireland|IL=Israel|IM=Isle of Man|IN=India|IO=British Indian Ocean Territory|IQ=Iraq|IR=Iran|IS=Iceland|IT=Italy|JE=Jersey|JM=Jamaica|"
    "JO=Jordan|JP=Japan|KE=Kenya|KG=Kyrgyzstan|KH=Cambodia|KI=Kiribati|KM=Comoros|KN=Saint Kitts and Nevis|KP=North Korea|KR=South Korea|KW=Kuwait|"
    "KY=Cayman Islands|KZ=Kazakhstan|LA=Laos|LB=Lebanon|LC=Saint Lucia|LI=Liechtenstein|LK=Sri Lanka|LR=Liberia|LS=Lesotho|LT=Lithuania|LU=Luxembourg|"
    "LV=Latvia|LY=Libya|MA=Morocco|MC=Monaco|MD=Moldova|ME=Montenegro|MF=Saint Martin|MG=Madagascar|MH=Marshall Islands|MK=Macedonia|ML=Mali|MM=Myanmar [Burma]|"
    "MN=Mongolia|MO=Macao|MP=Northern Mariana Islands|MQ=Martinique|MR=Mauritania|MS=Montserrat|MT=Malta|MU=Mauritius|MV=Maldives|MW=Malawi|MX=Mexico|"
    "MY=Malaysia|MZ=Mozambique|NA=Namibia|NC=New Caledonia|NE=Niger|NF=Norfolk Island|NG=Nigeria|NI=Nicaragua|NL=Netherlands|NO=Norway|NP=Nepal|NR=Nauru|NU=Niue|"
    "NZ=New Zealand|OM=Oman|PA=Panama|PE=Peru|PF=French Polynesia|PG=Papua New Guinea|PH=Philippines|PK=Pakistan|PL=Poland|PM=Saint Pierre and Miquelon|"
    "PN=Pitcairn Islands|PR=Puerto Rico|PS=Palestine|PT=Portugal|PW=Palau|PY=Paraguay|QA=Qatar|RE=Réunion|RO=Romania|RS=Serbia|RU=Russia|RW=Rwanda|"
    "SA=Saudi Arabia|SB=Solomon Islands|SC=Seychelles|SD=Sudan|SE=Sweden|SG=Singapore|SH=Saint Helena|SI=Slovenia|SJ=Svalbard and Jan Mayen|SK=Slovakia|"
    "SL=Sierra Leone|SM=San Marino|SN=Senegal|SO=Somalia|SR=Suriname|SS=South Sudan|ST=São Tomé and Príncipe|SV=El Salvador|SX=Sint Maarten|SY=Syria|"
    "SZ=Swaziland|TC=Turks and Caicos Islands|TD=Chad|TF=French Southern Territories|TG=Togo|TH=Thailand|TJ=Tajikistan|TK=Tokelau|TL=East Timor|"
    "TM=Turkmenistan|TN=Tunisia|TO=Tonga|TR=Turkey|TT=Trinidad and Tobago|TV=Tuvalu|TW=Taiwan|TZ=Tanzania|UA=Ukraine|UG=Uganda|UM=U.S. Minor Outlying Islands|"
    "US=United States|UY=Uruguay|UZ=Uzbekistan|VA=Vatican City|VC=Saint Vincent and the Grenadines|VE=Venezuela|VG=British Virgin Islands|VI=U.S. Virgin Islands|"
    "VN=Vietnam|VU=Vanuatu|WF=Wallis and Futuna|WS=Samoa|XK=Kosovo|YE=Yemen|YT=Mayotte|ZA=South Africa|ZM=Zambia|ZW=Zimbabwe";

constexpr std::string_view kStates =
    "AK=Alaska|AL=Alabama|AR=Arkansas|AZ=Arizona|CA=California|CO=Colorado|CT=Connecticut|DC=District of Columbia|DE=Delaware|FL=Florida|GA=Georgia|HI=Hawaii|"
    "IA=Iowa|ID=Idaho|IL=Illinois|IN=Indiana|KS=Kansas|KY=Kentucky|LA=Louisiana|MA=Massachusetts|MD=Maryland|ME=Maine|MI=Michigan|MN=Minnesota|MO=Missouri|"
    "MS=Mississippi|MT=Montana|NC=North Carolina|ND=North Dakota|NE=Nebraska|NH=New Hampshire|NJ=New Jersey|NM=New Mexico|NV=Nevada|NY=New York|OH=Ohio|"
    "OK=Oklahoma|OR=Oregon|PA=Pennsylvania|RI=Rhode Island|SC=South Carolina|SD=South Dakota|TN=Tennessee|TX=Texas|UT=Utah|VA=Virginia|VT=Vermont|WA=Washington|"
    "WI=Wisconsin|WV=West Virginia|WY=Wyoming";

template <class Use>
void each(std::string_view list, Use use) {
  for (const std::string_view entry : split(list, '|')) {
    const auto equals = entry.find('=');
    use(std::string(entry.substr(0, equals)), std::string(entry.substr(equals + 1)));
  }
}

}  // namespace

const std::vector<Place>& places() {
  static const std::vector<Place> kPlaces = [] {
    std::vector<Place> out;
    each(kContinents, [&](std::string code, std::string name) { out.push_back({.continent = code, .continent_name = name}); });
    out.push_back({.country = "*", .country_name = "Default"});
    each(kCountries, [&](const std::string& code, const std::string& name) {
      out.push_back({.country = code, .country_name = name});
      if (code == "US")
        each(kStates, [&](std::string state, std::string state_name) { out.push_back({.country = code, .country_name = name, .subdivision = state, .subdivision_name = state_name}); });
    });
    return out;
  }();
  return kPlaces;
}

const Place* find_place(std::string_view continent, std::string_view country, std::string_view subdivision) {
  for (const Place& place : places())
    if (place.continent == continent && place.country == country && place.subdivision == subdivision) return &place;
  return nullptr;
}

}  // namespace reef::service::route53
