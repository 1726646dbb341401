/*
 * A file of some bytes can say that it is a sound of years, at one sample a second. What is made of a sound is bounded by
 * its seconds, and by how many numbers come out, before memory is taken.
 */

/** Seconds that a sound may have: four hours. */
export const MOST_SECONDS = 4 * 60 * 60;
/** Numbers that one result may have: 1 GiB of float32. */
const MOST_NUMBERS = 2 ** 28;

/** @throws RangeError naming the limit where `numbers` or `seconds` of a result are beyond what is allowed. */
export function checkOutput(operation: string, numbers: number, seconds: number, maxSeconds = MOST_SECONDS): void {
  if (seconds > maxSeconds) {
    throw new RangeError(
      `${operation}: the sound is ${seconds} seconds long, more than the ${maxSeconds} allowed. Is its sample rate right? Otherwise give it in parts.`,
    );
  }
  if (numbers > MOST_NUMBERS) {
    throw new RangeError(
      `${operation}: ${numbers} numbers would come out, more than the ${MOST_NUMBERS} (2^28) allowed. Take larger steps, or give the sound in parts.`,
    );
  }
}
