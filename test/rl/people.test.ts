import { describe, expect, it } from "vitest";
import { simulatedPerson } from "../../src/rl/people.ts";

const examples = Array.from({ length: 4000 }, (_, id) => ({ id, label: id % 10 }));

describe("simulatedPerson", () => {
  it("says whether the action is the label, and is called simulated", () => {
    const person = simulatedPerson({ seed: 1 });
    expect(person.name).toBe("simulated person 1");
    expect(person.judge({ id: "a", label: 3 }, 3)).toEqual({ reward: 1 });
    expect(person.judge({ id: "a", label: 3 }, 4)).toEqual({ reward: -1 });
  });

  it("is called simulated whatever its settings", () => {
    expect(simulatedPerson({ seed: "x", labelNoise: 0.1, bias: -0.2 }).name).toBe(
      "simulated person x (noise 0.1, bias -0.2)",
    );
  });

  it("says the same for a seed, an example and a count, in any order of the examples", () => {
    const settings = { labelNoise: 0.3, laziness: 0.2, delay: 5 };
    const answers = (seed: number, order: typeof examples) => {
      const person = simulatedPerson({ seed, ...settings });
      const said = new Map(order.map((one) => [one.id, person.judge(one, 0)]));
      return examples.map((one) => said.get(one.id));
    };
    const forwards = answers(1, examples);
    expect(answers(1, examples.toReversed())).toEqual(forwards);
    expect(answers(2, examples)).not.toEqual(forwards);
  });

  it("answers anew when an example comes again", () => {
    const person = simulatedPerson({ seed: 1, labelNoise: 0.5 });
    const answers = Array.from({ length: 200 }, () => person.judge({ id: 1, label: 0 }, 0));
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(2);
  });

  it("has shares near those that were asked for", () => {
    const person = simulatedPerson({ seed: 1, labelNoise: 0.1, laziness: 0.25 });
    const answers = examples.map((one) => person.judge(one, one.label));
    const skips = answers.filter((answer) => "skip" in answer).length;
    const wrong = answers.filter((answer) => "reward" in answer && answer.reward < 0).length;
    expect(skips / answers.length).toBeCloseTo(0.25, 1);
    expect(wrong / (answers.length - skips)).toBeCloseTo(0.1, 1);
  });

  it("tires or learns by its drift, and never beyond noise of 0 or 1", () => {
    const wrong = (settings: { labelNoise: number; drift: number }) => {
      const person = simulatedPerson({ seed: 1, ...settings });
      const mistakes = examples.map((one) => {
        const answer = person.judge(one, one.label);
        return "reward" in answer && answer.reward < 0 ? 1 : 0;
      });
      const share = (from: number) => mistakes.slice(from, from + 1000).reduce<number>((a, b) => a + b, 0) / 1000;
      return [share(0), share(3000)];
    };
    const [fresh, tired] = wrong({ labelNoise: 0, drift: 0.1 });
    expect(fresh).toBeCloseTo(0.05, 1);
    expect(tired).toBeCloseTo(0.35, 1);
    const [green, practised] = wrong({ labelNoise: 0.3, drift: -0.2 });
    expect(green).toBeCloseTo(0.2, 1);
    expect(practised).toBe(0);
    expect(simulatedPerson({ seed: 1, drift: 0.1 }).name).toBe("simulated person 1 (drift 0.1)");
  });

  it("leans to approval or disapproval by its bias", () => {
    const approvals = (bias: number, action: (label: number) => number) => {
      const person = simulatedPerson({ seed: 1, bias });
      return examples.filter((one) => {
        const answer = person.judge(one, action(one.label));
        return "reward" in answer && answer.reward > 0;
      }).length;
    };
    expect(approvals(0.5, (label) => label + 1) / examples.length).toBeCloseTo(0.5, 1);
    expect(approvals(-0.5, (label) => label) / examples.length).toBeCloseTo(0.5, 1);
    expect(approvals(1, (label) => label + 1)).toBe(examples.length);
  });

  it("is late by up to the delay, and no setting changes the luck of another", () => {
    const late = simulatedPerson({ seed: 1, labelNoise: 0.3, delay: 3 });
    const prompt = simulatedPerson({ seed: 1, labelNoise: 0.3 });
    const lateness = new Set<number>();
    for (const one of examples.slice(0, 200)) {
      const { late: by, ...answer } = late.judge(one, 0);
      lateness.add(by!);
      expect(answer).toEqual(prompt.judge(one, 0));
    }
    expect([...lateness].sort()).toEqual([0, 1, 2, 3]);
  });

  it.each([{ labelNoise: 1.1 }, { laziness: -0.1 }, { bias: Number.NaN }, { delay: 0.5 }, { drift: Number.NaN }])(
    "refuses %o",
    (settings) => {
      expect(() => simulatedPerson({ seed: 1, ...settings })).toThrow(RangeError);
    },
  );
});
