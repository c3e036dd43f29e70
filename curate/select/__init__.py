"""Which garments people are asked about next: strategies, what they choose from, what is kept.

pool (`pool`) -> how unsure the taggers are (`doubt`) -> who stands for whom (`spread`) -> an order
(`strategies`), of which the first are taken that do not crowd each other (`batch`).
"""
