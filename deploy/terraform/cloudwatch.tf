# The CloudWatch alarms of an installation on EC2 without containers: processor and status of each API server, to an
# e-mail address.
#
#   cd deploy/terraform
#   terraform init
#   terraform apply -var alert_email=ops@example.org \
#     -var 'instances={"aragora-api-server"="i-…","aragora-api-2"="i-…"}'
#
# AWS sends the address a message to confirm before it sends alarms. The alarms are then
# aragora-api-server-cpu-high, aragora-api-server-status-check, aragora-api-2-cpu-high and aragora-api-2-status-check.

terraform {
  required_version = ">= 1.3"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.0, < 7.0"
    }
  }
}

provider "aws" {
  region = var.region
}

variable "region" {
  description = "Where the instances are."
  type        = string
  default     = "us-east-2"
}

variable "instances" {
  description = "The API servers: the name that their alarms begin with, to the EC2 instance."
  type        = map(string)

  validation {
    condition     = alltrue([for id in values(var.instances) : can(regex("^i-[0-9a-f]{8,17}$", id))])
    error_message = "Each value must be the id of an EC2 instance, such as i-0123456789abcdef0."
  }
}

variable "alert_email" {
  description = "Who is told."
  type        = string

  validation {
    condition     = can(regex("^[^@ ]+@[^@ ]+$", var.alert_email))
    error_message = "This is no e-mail address."
  }
}

variable "cpu_threshold_percent" {
  description = "Processor use above which an instance is reported."
  type        = number
  default     = 80
}

variable "topic_name" {
  description = "The SNS topic that the alarms go to."
  type        = string
  default     = "aragora-alarms"
}

resource "aws_sns_topic" "alarms" {
  name = var.topic_name
}

resource "aws_sns_topic_subscription" "email" {
  topic_arn = aws_sns_topic.alarms.arn
  protocol  = "email"
  endpoint  = var.alert_email
}

resource "aws_cloudwatch_metric_alarm" "cpu_high" {
  for_each = var.instances

  alarm_name          = "${each.key}-cpu-high"
  alarm_description   = "CPUUtilization of ${each.key} is above ${var.cpu_threshold_percent} % for 5 minutes. See docs/operations.md."
  namespace           = "AWS/EC2"
  metric_name         = "CPUUtilization"
  dimensions          = { InstanceId = each.value }
  statistic           = "Average"
  comparison_operator = "GreaterThanThreshold"
  threshold           = var.cpu_threshold_percent
  period              = 300
  evaluation_periods  = 1
  treat_missing_data  = "missing"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
}

resource "aws_cloudwatch_metric_alarm" "status_check" {
  for_each = var.instances

  alarm_name          = "${each.key}-status-check"
  alarm_description   = "The instance or system status check of ${each.key} fails. See docs/operations.md."
  namespace           = "AWS/EC2"
  metric_name         = "StatusCheckFailed"
  dimensions          = { InstanceId = each.value }
  statistic           = "Maximum"
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = 1
  period              = 60
  evaluation_periods  = 1
  # An instance that says nothing at all is not well.
  treat_missing_data = "breaching"
  alarm_actions      = [aws_sns_topic.alarms.arn]
  ok_actions         = [aws_sns_topic.alarms.arn]
}

output "alarm_names" {
  description = "What `aws cloudwatch describe-alarms --alarm-names` takes."
  value = sort(concat(
    [for alarm in aws_cloudwatch_metric_alarm.cpu_high : alarm.alarm_name],
    [for alarm in aws_cloudwatch_metric_alarm.status_check : alarm.alarm_name],
  ))
}
