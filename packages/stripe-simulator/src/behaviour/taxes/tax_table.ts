/** How a country taxes digital services. */
export interface CountryTax {
  displayName: "GST" | "VAT";
  taxType: "gst" | "vat";
  percentage: number;
  /** The tax ids with which a business accounts for the tax itself (reverse charge). */
  reversedFor: string[];
}

const vat = (percentage: number, ...reversedFor: string[]): CountryTax => ({
  displayName: "VAT",
  taxType: "vat",
  percentage,
  reversedFor,
});
const gst = (percentage: number, ...reversedFor: string[]): CountryTax => ({
  displayName: "GST",
  taxType: "gst",
  percentage,
  reversedFor,
});

/** The standard rates of value-added tax in the European Union in 2026, in percent. */
const europeanUnion: Record<string, number> = {
  AT: 20,
  BE: 21,
  BG: 20,
  CY: 19,
  CZ: 21,
  DE: 19,
  DK: 25,
  EE: 24,
  ES: 21,
  FI: 25.5,
  FR: 20,
  GR: 24,
  HR: 25,
  HU: 27,
  IE: 23,
  IT: 22,
  LT: 21,
  LU: 17,
  LV: 21,
  MT: 18,
  NL: 21,
  PL: 23,
  PT: 23,
  RO: 21,
  SE: 25,
  SI: 22,
  SK: 23,
};

/**
 * Where the simulated account collects tax. The account is in the United States and sells from abroad. In countries
 * that are not in the table it is not registered and collects nothing.
 */
const table = new Map<string, CountryTax>([
  ...Object.entries(europeanUnion).map((
    [country, rate],
  ): [string, CountryTax] => [country, vat(rate, "eu_vat")]),
  ["AU", gst(10, "au_abn")],
  ["CA", gst(5, "ca_gst_hst")],
  ["CH", vat(8.1)],
  ["GB", vat(20, "gb_vat")],
  ["NO", vat(25, "no_vat")],
  ["NZ", gst(15, "nz_gst")],
]);

/** The tax of a country, given by its two-letter code. Undefined where none is collected. */
export function taxOf(country: string): CountryTax | undefined {
  return table.get(country);
}

/** The countries of the European Union. */
export function isInEuropeanUnion(country: string): boolean {
  return country in europeanUnion;
}
