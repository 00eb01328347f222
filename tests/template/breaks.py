"""Ways to break the generated pipeline, each with the generated test that is there for it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Break:
    what: str
    file: str  # of pipeline/
    old: str
    new: str
    red: str  # the test that must notice


BEFORE, AFTER, WHOLE = "test_before_training.py::", "test_after_training.py::", "test_pipeline.py::"

BREAKS = [
    # what the model sees
    Break(
        "the label among the features",
        "train.py",
        "return frame.select(columns)",
        "return frame.select(*columns, pl.col(schema.target).cast(pl.String).alias('status'))",
        BEFORE + "test_the_model_does_not_see_the_target",
    ),
    Break(
        "the label instead of a feature",
        "train.py",
        "columns.append(pl.col(name).cast(pl.Float64))",
        "columns.append(pl.col(schema.target).cast(pl.Float64).alias(name))",
        AFTER + "test_noise_is_not_learned",
    ),
    Break(
        "the target shuffled",
        "train.py",
        "target = encode_target(frame, schema).to_numpy()",
        "target = encode_target(frame, schema).shuffle(seed=1).to_numpy()",
        AFTER + "test_what_is_there_is_learned",
    ),
    Break(
        "the estimator unseeded",
        "train.py",
        "estimator.set_params(random_state=seed)",
        "pass",
        AFTER + "test_the_same_training_gives_the_same_predictions",
    ),
    Break(
        "new categories are an error",
        "train.py",
        'handle_unknown="infrequent_if_exist"',
        'handle_unknown="error"',
        AFTER + "test_unknown_and_missing_values_are_predicted",
    ),
    Break(
        "half a probability for each class",
        "evaluate.py",
        "    return everything",
        "    return everything / 2",
        AFTER + "test_predictions_are_numbers_or_probabilities",
    ),
    # prediction is not training
    Break(
        "predict skips the parts of a time",
        "predict.py",
        "make_features(frame, schema), schema)",
        "make_features(frame, schema).with_columns(pl.selectors.ends_with('.hour', '.weekday') * 0), schema)",
        WHOLE + "test_a_prediction_for_raw_rows_is_the_evaluated_one",
    ),
    Break(
        "predict fills missing categories otherwise",
        "predict.py",
        "make_features(frame, schema), schema)",
        "make_features(frame.with_columns(pl.col(pl.String).fill_null('')), schema), schema)",
        WHOLE + "test_a_prediction_for_raw_rows_is_the_evaluated_one",
    ),
    Break(
        "predict fills missing numbers otherwise",
        "predict.py",
        "make_features(frame, schema), schema)",
        "make_features(frame, schema).with_columns(pl.col(pl.Float64).fill_null(0)), schema)",
        WHOLE + "test_a_prediction_for_raw_rows_is_the_evaluated_one",
    ),
    Break(
        "predict reorders the keys",
        "predict.py",
        "return add_keys(frame, values, schema)",
        "return add_keys(frame.reverse(), values, schema)",
        WHOLE + "test_a_prediction_for_raw_rows_is_the_evaluated_one",
    ),
    Break(
        "predict wants the target",
        "answer.py",
        'one.use in ("feature", "key")',
        'one.use in ("feature", "key", "target")',
        WHOLE + "test_rows_without_the_target_are_predicted",
    ),
    Break(
        "predict accepts rows without a column",
        "predict.py",
        "    if problems := check(frame, wanted, values=False):",
        "    lost = wanted.columns.keys() - frame.columns\n"
        "    frame = frame.with_columns(pl.lit('').alias(name) for name in lost)\n"
        "    if problems := []:",
        WHOLE + "test_rows_that_cannot_be_used_are_refused",
    ),
    Break(
        "a refusal leaves half an output",
        "predict.py",
        '        sys.exit(f"{arguments.rows} is refused:',
        '        arguments.out.write_text("key,prediction\\n")\n        sys.exit(f"{arguments.rows} is refused:',
        WHOLE + "test_rows_that_cannot_be_used_are_refused",
    ),
    # bad data
    Break(
        "prepare does not validate",
        "prepare.py",
        "if problems := check(frame, schema):",
        "if problems := list[str]():",
        WHOLE + "test_refused_data_leaves_the_model_alone",
    ),
    Break(
        "prepare writes before it refuses",
        "prepare.py",
        "    except DataError as error:\n",
        "    except DataError as error:\n        (PREPARED / 'train.parquet').write_bytes(b'')\n",
        WHOLE + "test_refused_data_leaves_the_model_alone",
    ),
    Break(
        "no lower bound",
        "checks.py",
        'checks.append(pa.Check.ge(column.min, error=f"below {column.min}"))',
        "pass",
        BEFORE + "test_a_value_out_of_range_is_named[min--1]",
    ),
    Break(
        "no upper bound",
        "checks.py",
        'checks.append(pa.Check.le(column.max, error=f"above {column.max}"))',
        "pass",
        BEFORE + "test_a_value_out_of_range_is_named[max-1]",
    ),
    Break(
        "any category",
        "checks.py",
        'checks.append(pa.Check.isin(column.values, error="none of its values in data/schema.yaml"))',
        "pass",
        BEFORE + "test_an_unknown_category_is_named",
    ),
    Break(
        "any share of missing values",
        "checks.py",
        ".is_null().mean() <= share",
        ".is_null().mean() <= 1",
        BEFORE + "test_more_missing_values_than_allowed_are_refused",
    ),
    Break(
        "missing values anywhere",
        "checks.py",
        'nullable = column.missing > 0 or column.use == "ignored"',
        "nullable = True",
        BEFORE + "test_missing_values_are_counted",
    ),
    Break(
        "any column",
        "checks.py",
        "strict=True",
        "strict=False",
        BEFORE + "test_an_extra_column_is_named",
    ),
    Break(
        "a key twice",
        "checks.py",
        'unique=column.use == "key"',
        "unique=False",
        BEFORE + "test_repeated_rows_are_counted",
    ),
    Break(
        "a column that is the target",
        "checks.py",
        "_find_duplicates(frame, schema) + find_leaks(frame, schema)",
        "_find_duplicates(frame, schema)",
        BEFORE + "test_a_column_that_gives_the_target_away_is_named",
    ),
    Break(
        "no rows are fine",
        "checks.py",
        '        return ["the data has no rows"]',
        "        return []",
        BEFORE + "test_no_rows_are_refused",
    ),
    Break(
        "what cannot be read is missing",
        "coerce.py",
        "    if wrong.any():",
        "    if False:",
        BEFORE + "test_a_value_of_another_type_is_named_with_its_row",
    ),
    Break(
        "no schema, no checks",
        "schema.py",
        '        raise DataError(f"{path} is not there: without it nothing says what the data should be")',
        '        return Schema("binary", "", {})',
        BEFORE + "test_a_missing_schema_is_a_failure_not_a_skip",
    ),
    # train and test rows
    Break(
        "the oldest rows are the test set",
        "prepare.py",
        '(times >= times.quantile(1 - share, "higher"))',
        '(times < times.quantile(share, "higher"))',
        BEFORE + "test_the_newest_rows_are_the_test_set",
    ),
    Break(
        "test rows among the train rows",
        "prepare.py",
        'frame.filter(~test).write_parquet(PREPARED / "train.parquet")',
        'frame.write_parquet(PREPARED / "train.parquet")',
        WHOLE + "test_the_test_rows_are_what_is_evaluated",
    ),
    Break(
        "the draw unseeded",
        "prepare.py",
        "np.random.default_rng(seed)",
        "np.random.default_rng()",
        BEFORE + "test_the_draw_is_seeded_and_stays_when_rows_are_appended",
    ),
    Break(
        "train and test files swapped",
        "prepare.py",
        'frame.filter(~test).write_parquet(PREPARED / "train.parquet")\n    frame.filter(test)',
        'frame.filter(test).write_parquet(PREPARED / "train.parquet")\n    frame.filter(~test)',
        WHOLE + "test_the_test_rows_are_what_is_evaluated",
    ),
    # evaluation
    Break(
        "judged on the rows it was trained on",
        "evaluate.py",
        'read_prepared("test")',
        'read_prepared("train")',
        WHOLE + "test_the_test_rows_are_what_is_evaluated",
    ),
    Break(
        "the time of day among the metrics",
        "evaluate.py",
        "    metrics = {\n",
        '    metrics = {\n        "at": __import__("time").time(),\n',
        WHOLE + "test_a_second_run_gives_the_same_bytes",
    ),
    Break(
        "the other class's probability stored",
        "evaluate.py",
        "probability=pl.Series(values[:, 1])",
        "probability=pl.Series(values[:, 0])",
        WHOLE + "test_the_figures_follow_from_the_stored_predictions",
    ),
    Break(
        "slices judged on three rows",
        "evaluate.py",
        "enough = rows.sum() >= min_rows",
        "enough = True",
        AFTER + "test_slices_with_few_rows_are_counted_not_judged",
    ),
]
