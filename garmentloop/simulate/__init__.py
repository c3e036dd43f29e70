"""The loop as a rehearsal: an annotator who answers from known truth, so that it can be measured.

What comes out tells how the loop works, not how people do: nobody tires, and what the truth does
not know is accepted as it is proposed. All labels are of the kind `simulated`.
"""
