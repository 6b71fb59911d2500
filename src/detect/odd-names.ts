// SPDX-License-Identifier: AGPL-3.0-or-later

const ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789-";
const DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz";
/** Units of a bit in which the table counts. */
const UNITS = 3;
/** Mean surprise of a character in a name that a person chose, in bits. */
const USUAL_BITS = 4.015;

/**
 * How surprising each character is after another, in thirds of a bit, one digit of base 36 each: a row for the first,
 * a column for the second, in the order of ALPHABET. Learned from half of 900,000 names of software packages, which
 * people make up as they make up domains; of the other half the score of 2 % is above 4, of random letters that of 90 %.
 */
const SURPRISE: readonly string[] = [
  "mfbenkdpdqjbd9obsab9gjkmimzusxzzzzzzl",
  "9igialllakpaim8grbdhboophtwuopxzwzzzi",
  "boikbmp9ftbajo7dtdfafoqrkuzyrwyzzzzzl",
  "9fhf7ghnaddghkbiteejfmnojuzuprxxzzzzi",
  "chcegjinkpndd9jfn7aclhiemqzwrsyzxzwzh",
  "amikbdmn7rn9jm9jucfedrnnevztouwwzzwzk",
  "ckgk6lff9rqehg9gqafiepnnkrzuovvzzzzzi",
  "7jhj7lnoaqnjhm8imghcdomrgtvrouxtzzzzi",
  "febddgfroskcd7cepgbangqjsizttxyzzzzzk",
  "4ollappndpmmjqdjjm6mcpirpsvvnxzzzzzzp",
  "9igf7ifj8nlggiefqgcfflkrisyrpssxzyqyf",
  "9lhg8lmq7skcho9gumcfdmprgszrqwxyzzzzj",
  "7fbh8lkpbrnefl9bnlejfooqhuxuqswzrzzzj",
  "bkdc9g9ndniijgdhrlb8hhomkqzurszzzzzzh",
  "ghdcmjfojmicc8cdt8edejfjoszqusyzzzxzj",
  "anihanmfbslakocetbeegqor7uzvrtvzzzzzj",
  "fkfijlmnfrq7imjglffc4ojpptxvpswzzzzzj",
  "8kef7jioaqgifiahrhddggoqftzuqvzyzzzzi",
  "dkce9kldbqgggkddjkc7gkjqgszsppvzyzzzg",
  "akfk8jlc9pnhil9gtbdfgokpgsztquwyzzzzg",
  "eegddlcrcrnbdanduaa8ooriqozqxzzzzzzzp",
  "9nhk4mjo7tnkimdjtkhieprrmutmjpqtvxuzl",
  "8lii8kmf9rmghd9isdahmrnnntztqsxzzzzzj",
  "cicgcijkcnnfejgaqge7imliervplrptjvvwd",
  "cfdeeggjimledcf9mfa8hkimpkxtnouyzzzze",
  "akhj5kmfbokhhiahojhicplnddurrlqzwuyzj",
  "gnklqporrupmldqjznllpqrlvt8779efgggfi",
  "hnkkpqqqrqqolosizpllssqoks699cdfedbdh",
  "dhddhihihiliejjcqhdekijjop9decffikjkf",
  "ejdajijlknlhhkleqhefimlnvtbcbedgdhihc",
  "bhfgiidkkfnhcikbqiffgknlqtbedghdghfid",
  "hjfhhikmkmmigkldriffjljkrtabdbfdbffee",
  "jmhllnnqorkmjnqhsljinqonuu9eff4eefhge",
  "imiikkmlmsmjgjngslhillnluj89beeeebbgf",
  "bjhikjmpjqnli8ngrkbhlpoopu9efdgfegdee",
  "cnhkrpmonrnjlopjuqfkmoumrr7addedddd9g",
  "bf9defghgikebhhamdacghhnpptortxzzzzzv",
];

/**
 * How unlikely it is that a person chose the label: surprise above the usual, in bits a character, times the root of
 * the length, since long names prove more. Around 0 for names of people, above 4 for most that are random.
 */
export function oddness(label: string): number {
  let thirds = 0;
  let pairs = 0;
  for (let at = 1; at < label.length; at++) {
    const row = SURPRISE[ALPHABET.indexOf(label[at - 1] ?? "")];
    const column = ALPHABET.indexOf(label[at] ?? "");
    if (row === undefined || column < 0) continue;
    thirds += DIGITS.indexOf(row[column] ?? "0");
    pairs++;
  }
  return pairs === 0 ? 0 : (thirds / UNITS / pairs - USUAL_BITS) * Math.sqrt(label.length);
}
